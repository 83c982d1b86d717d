"""Structured logs: one JSON line per message, with the ids of the work in progress, no secrets."""

import json
import logging
import re
import sys
from contextvars import ContextVar
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from backend.shared.infra import clock, config

# The ids of the work in progress: one dict for each request, event or job
_ids: ContextVar[dict[str, str]] = ContextVar("log_ids")
_quoted = json.encoder.encode_basestring_ascii
_access = logging.getLogger("access")
_DETAIL = re.compile(r"DETAIL: .*?(?=\n(?:\n|\[SQL|HINT|CONTEXT)|\Z)", re.DOTALL)
_SECRET = re.compile(r"password|secret|token|authorization|(^|_)key$", re.IGNORECASE)


def _hide_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    for name in event:
        if _SECRET.search(name):
            event[name] = "[hidden]"
    return event


def without_values(text: str) -> str:
    """Return the text of an error without the rows and keys that PostgreSQL quotes in it."""
    return _DETAIL.sub("DETAIL: [hidden]", text)


def _hide_values(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    if "exception" in event:
        event["exception"] = without_values(event["exception"])
    return event


def _merge_ids(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    return {**_ids.get({}), **event}


def configure(part: str) -> None:
    """Configure logging for this process; `part` names it in every line."""
    shared: list[Any] = [
        _merge_ids,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
        structlog.processors.format_exc_info,
        _hide_values,
    ]
    console = config.process().log_format == "console"
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(config.process().log_level)
    logging.getLogger(
        "uvicorn.access"
    ).disabled = True  # AccessLog logs requests, with ids and without queries
    for client in ("httpx", "httpx2"):  # they log addresses with their queries
        logging.getLogger(client).setLevel(logging.WARNING)
    for noisy in ("uvicorn", "uvicorn.error", "celery", "kombu", "amqp"):
        logging.getLogger(noisy).handlers = []
        logging.getLogger(noisy).propagate = True
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    bind(part=part)


def get(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


def bind(**ids: Any) -> None:
    """Add ids (user, robot, task, event, …) to every following line of this request or event."""
    known = _ids.get(None)
    if known is None:
        known = {}
        _ids.set(known)
    known |= {name: str(value) for name, value in ids.items() if value is not None}


def rebind(**ids: Any) -> None:
    """Replace the ids of earlier work on this thread; the name of the part is kept."""
    part = _ids.get({}).get("part")
    _ids.set({})
    bind(**{"part": part, **ids})


def access(method: str, path: str, status: int, milliseconds: float) -> None:
    """Log a request. Its line is formatted here: structlog takes fifteen times as long."""
    if not _access.isEnabledFor(logging.INFO):
        return
    if config.process().log_format == "console":
        get("access").info("request", method=method, path=path, status=status, ms=milliseconds)
        return
    ids = "".join([f',"{name}":{_quoted(value)}' for name, value in _ids.get({}).items()])
    sys.stdout.write(
        f'{{"method":{_quoted(method)},"path":{_quoted(path)},"status":{status}'
        f',"ms":{milliseconds:.1f}{ids},"event":"request","level":"info"'
        f',"timestamp":"{clock.iso(clock.now())}"}}\n'
    )
