"""Convert the first sheet of an XLSX workbook to CSV, and rows to a workbook, row by row.

openpyxl is imported when a workbook is read or written: few processes ever do.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from backend.shared.errors import UnsupportedMediaType, invalid

LINE_BREAK = "\u2028"  # of a cell: its row stays one line
_MAX_UNPACKED_BYTES = 512 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


def to_csv(workbook: BinaryIO, content: BinaryIO) -> None:
    """Write the rows as CSV; a row of the sheet is one line."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    _check_size(workbook)
    workbook.seek(0)
    text = io.TextIOWrapper(content, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    try:
        book = load_workbook(workbook, read_only=True, data_only=True)
        for row in book.worksheets[0].iter_rows(values_only=True):
            writer.writerow([_cell(value) for value in row])
        book.close()
    except (KeyError, ValueError, IndexError, InvalidFileException, SyntaxError) as error:
        raise invalid("file", "is not a readable XLSX workbook") from error
    finally:
        text.detach()


def _check_size(workbook: BinaryIO) -> None:
    """Refuse what is no zip archive, and one that unpacks to more than a workbook may hold."""
    workbook.seek(0)
    try:
        with zipfile.ZipFile(workbook) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise UnsupportedMediaType("The file is not an XLSX workbook.") from error
    if size > _MAX_UNPACKED_BYTES:
        raise invalid("file", "unpacks to more than 512 MiB")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return str(value.year)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return LINE_BREAK.join(str(value).splitlines())


def from_rows(rows: Iterable[list[str]]) -> Iterator[bytes]:
    """Yield a workbook with these rows of text. It is made on disk: its memory is constant."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("Books")
    for row in rows:
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in row])
    with TemporaryFile() as file:
        workbook.save(file)
        file.seek(0)
        yield from iter(lambda: file.read(_CHUNK_BYTES), b"")
