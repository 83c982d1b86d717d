"""The Nginx component: its configuration, command and readiness check."""

import signal
from pathlib import Path

from backend.shared.infra.services import RPC_SERVICES, SERVICES
from ops.home import Home
from ops.native.component import Component
from ops.servers import certificate, environment, probes
from ops.servers.nginx import DEFAULTS, HOST, start_command, write_configuration

CAP_SETGID = 6  # its workers set their groups, to those that they have
CAP_NET_BIND_SERVICE = 10  # a port below 1024
NOT_ROUTED = "/gateway/"  # Nginx itself answers 404


def pages_link(home: Home) -> Path:
    """Return the link to the folder with the web applications; its path needs no quoting."""
    return home.sockets.resolve() / "pages"


def _servers(home: Home, service: str, suffix: str = "") -> str:
    """Return the addresses of all instances, as they follow `server` in the configuration."""
    sockets = [home.socket(f"{name}{suffix}") for name in environment.instances(service)]
    return " max_fails=0; server ".join(f"unix:{socket}" for socket in sockets)


def _values(home: Home, folder: Path, port: int) -> dict[str, str]:
    """Return the values of the variables of the templates."""
    base = environment.base()
    return {name: base[name] for name in DEFAULTS if name in base} | {
        "LUNA_GATEWAY_DIR": str(folder),
        "LUNA_GATEWAY_ACCESS_LOG": str(folder / "logs" / "access.log"),
        "LUNA_GATEWAY_LISTEN": f"{HOST}:{port}",
        "LUNA_GATEWAY_RESOLVER": HOST,
        "LUNA_WEB_DIR": str(pages_link(home)),
        **{f"LUNA_UPSTREAM_{name.upper()}": _servers(home, name) for name in SERVICES},
        **{
            f"LUNA_UPSTREAM_{name.upper()}_GRPC": _servers(home, name, "-grpc")
            for name in RPC_SERVICES
        },
    }


def nginx_component(
    home: Home, program: Path, ports: tuple[int, int], needs: frozenset[str]
) -> Component:
    """Return the Nginx component in front of the services of this home.

    `ports` are those of HTTP/1.1 and of TLS; 0: without TLS.
    """
    port, tls_port = ports
    folder = home.sockets.resolve() / "nginx"
    base = environment.base()
    values = _values(home, folder, port)
    if tls_port:
        values["LUNA_GATEWAY_TLS"] = certificate.directives(home.keys.resolve(), tls_port)

    def prepare() -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        logs = folder / "logs"  # a link, because the path of the home may need quoting
        if not logs.exists():
            logs.unlink(missing_ok=True)
            logs.symlink_to(home.logs)
        write_configuration(folder, values)

    return Component(
        name="nginx",
        command=lambda: start_command(program, folder / "luna.conf", folder),
        needs=needs,
        prepare=prepare,
        ready=lambda: probes.http_answers(f"{HOST}:{port}", "/health"),
        answers=lambda: probes.http_responds(f"{HOST}:{port}", NOT_ROUTED),
        environment=base | {"TZ": "UTC"},
        reload_signal=signal.SIGHUP,
        stop_signal=signal.SIGQUIT,  # finishes open requests
        stop_timeout=5.0,
        death_signal=signal.SIGTERM,  # stops its workers
        endpoint=f"{HOST}:{port}",
        capabilities=frozenset({CAP_SETGID, CAP_NET_BIND_SERVICE}),
    )
