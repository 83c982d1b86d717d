"""Run one service on `LUNA_LISTEN`: `python -m backend.shared.web.service_main auth`.

Each instance is one process; the gateway balances between them.
"""

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import uvicorn

from backend.shared.infra import config
from backend.shared.infra.services import SERVICES
from backend.shared.web.server.frames import FrameWriter
from backend.shared.web.shutdown import DrainingServer

_MAX_MESSAGE_BYTES = 16 * 1024
_GC_THRESHOLDS = (10_000, 20, 50)


def _load(service: str) -> None:
    """Import the service and exempt all it loaded from garbage collection.

    The collector would pause requests for up to 100 ms to visit objects that live for ever.
    """
    import_module(f"backend.{service}.main")
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def main() -> None:
    service = sys.argv[1] if len(sys.argv) == 2 else ""  # noqa: PLR2004 (program and service)
    if service not in SERVICES:
        raise SystemExit(f"usage: python -m backend.shared.web.service_main {'|'.join(SERVICES)}")
    _load(service)
    listen = config.process().listen
    host, _, port = listen.rpartition(":")
    path = Path(listen.removeprefix("unix:")) if listen.startswith("unix:") else None
    settings = uvicorn.Config(
        f"backend.{service}.main:app",
        **({"uds": f"{path}.{os.getpid()}"} if path else {"host": host, "port": int(port)}),
        access_log=False,  # AccessLog replaces it
        log_config=None,
        proxy_headers=False,  # AccessLog reads the gateway's X-Real-IP
        server_header=False,
        date_header=False,  # the gateway's is sent
        timeout_keep_alive=75,  # longer than the gateway keeps idle connections
        timeout_graceful_shutdown=8,
        ws=FrameWriter,
        ws_max_size=_MAX_MESSAGE_BYTES,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_per_message_deflate=False,  # compression takes over 100 kB per socket
    )
    server = DrainingServer(settings, path)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
