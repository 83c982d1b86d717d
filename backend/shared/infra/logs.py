"""Structured logs: one JSON line per message, with the ids of the work in progress, no secrets."""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars
from structlog.typing import EventDict, WrappedLogger

from backend.shared.infra import config

_SECRET = re.compile(r"password|secret|token|authorization|(^|_)key$", re.IGNORECASE)


def _hide_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    for name in event:
        if _SECRET.search(name):
            event[name] = "[hidden]"
    return event


def configure(part: str) -> None:
    """Configure logging for this process; `part` names it in every line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
        structlog.processors.format_exc_info,
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
    for noisy in ("uvicorn", "uvicorn.error", "celery", "kombu", "amqp"):
        logging.getLogger(noisy).handlers = []
        logging.getLogger(noisy).propagate = True
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(part=part)


def get(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


def bind(**ids: Any) -> None:
    """Add ids (user, robot, task, event, …) to every following line of this request or event."""
    bind_contextvars(**{name: str(value) for name, value in ids.items() if value is not None})


def rebind(**ids: Any) -> None:
    """Replace the ids of earlier work on this thread; the name of the part is kept."""
    part = get_contextvars().get("part")
    clear_contextvars()
    bind(**{"part": part, **ids})
