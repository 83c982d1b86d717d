"""Runs one service: `python -m backend.shared.web.service_main auth` on `LUNA_LISTEN`.

One process a service instance; more of them stand side by side behind the gateway.
"""

import sys

import uvicorn

from backend.shared.infra import config

SERVICES = ("auth", "book", "delivery", "robot", "notification")
_SEND_QUEUE_LIMIT = 16 * 1024


def main() -> None:
    service = sys.argv[1] if len(sys.argv) == 2 else ""  # noqa: PLR2004 (program and service)
    if service not in SERVICES:
        raise SystemExit(f"usage: python -m backend.shared.web.service_main {'|'.join(SERVICES)}")
    listen = config.process().listen
    host, _, port = listen.rpartition(":")
    where = {"uds": listen.removeprefix("unix:")} if listen.startswith("unix:") else {}
    uvicorn.run(
        f"backend.{service}.main:app",
        **({"uds": where["uds"]} if where else {"host": host, "port": int(port)}),
        access_log=False,  # ours carries the request id
        log_config=None,
        proxy_headers=False,  # the gateway's X-Real-IP is read where it is needed
        server_header=False,
        timeout_keep_alive=75,  # longer than the gateway keeps an idle connection
        timeout_graceful_shutdown=8,
        ws_max_size=_SEND_QUEUE_LIMIT,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_per_message_deflate=False,  # compression costs 100 kB and more a socket
    )


if __name__ == "__main__":
    main()
