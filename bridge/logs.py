"""A log of one JSON object per line on standard output; never a key or a header."""

import contextlib
import json
import sys
from datetime import UTC, datetime
from typing import Any, TextIO


class Log:
    """Writes log lines; `bind` returns a log that adds fields to each line."""

    def __init__(
        self, style: str = "json", out: TextIO | None = None, bound: dict[str, Any] | None = None
    ) -> None:
        self._style = style
        self._out = out or sys.stdout
        self._bound = bound or {}

    def bind(self, **fields: Any) -> "Log":
        return Log(self._style, self._out, {**self._bound, **fields})

    def info(self, event: str, **fields: Any) -> None:
        self._write("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._write("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        merged = {**self._bound, **fields}
        present = {name: value for name, value in merged.items() if value is not None}
        if self._style == "console":
            details = " ".join(f"{name}={value}" for name, value in present.items())
            line = f"{now} {level:7} {event} {details}".rstrip()
        else:
            head = {"timestamp": now, "level": level, "service": "bridge", "event": event}
            line = json.dumps(head | present, default=str, ensure_ascii=False)
        with contextlib.suppress(OSError):  # a closed pipe must not end a drive
            self._out.write(line + "\n")
            self._out.flush()
