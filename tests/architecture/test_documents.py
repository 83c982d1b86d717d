"""Links, files and numbers in the documents are valid."""

import re
from pathlib import Path

import pytest

from ops.home import ROOT
from tests.architecture import source_files

PAGES = [path for path in source_files.tracked() if path.suffix == ".md"]
_LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]+)?\)")
_FILE = re.compile(r"`((?:backend|bridge|ops|tests|docs)/[\w./-]+)`")


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    kept = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings)
    return {"#" + heading.strip().replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", PAGES, ids=source_files.name_of)
def test_every_link_has_a_target(page: Path) -> None:
    for place, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in place:
            continue
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), place
        assert not anchor or anchor in _anchors(target), f"{place}{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=source_files.name_of)
def test_every_named_file_exists(page: Path) -> None:
    for name in _FILE.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / name).exists(), name


def test_decision_numbers_are_consecutive() -> None:
    names = [path.name for path in (ROOT / "docs" / "decisions").glob("*.md")]
    numbers = sorted(name.partition("-")[0] for name in names)
    assert numbers == [f"{number:04}" for number in range(1, len(names) + 1)]


@pytest.mark.parametrize(
    "record", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=source_files.name_of
)
def test_decision_record_has_the_standard_sections(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert text.startswith(f"# {record.name.partition('-')[0]} ")
    assert "\nStatus: " in text.partition("\n## ")[0]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_readme_shows_the_existing_tree() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = text.partition("## The tree")[2].partition("## ")[0]
    for folder in re.findall(r"^    (\w+)/", shown, re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder
    named = {name.rstrip("/") for name in re.findall(r"(?<=[ ])(\w+)/", shown)}
    tests = {path.name for path in (ROOT / "tests").iterdir() if (path / "__init__.py").exists()}
    assert tests - named <= {"shared", "demo_library"}
