"""The components of a native LUNA and their order: the nine services of the Compose file.

LUNA's own Python programs also wait for the fork server, which makes them start much faster.

cluster ─ postgres ─ database ─ migrate ─┬─ five services ─┬─ nginx ─ robots
redis ───────────────────────────────────┼─ celery-worker ─┘
keys ────────────────────────────────────┴─ demo ───────────────────── robots
"""

import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from backend.shared.infra.services import RPC_SERVICES, SERVICES, database_role
from ops.home import Home, secret, write_atomically
from ops.native import fork_server, nginx_component, simulators
from ops.native.component import Component
from ops.servers import environment, nginx, probes, push_keys, redis_server, run_as
from ops.servers.database_roles import ROLES

WORKER = "celery-worker"
COMPONENTS = ("nginx", *(f"{name}-service" for name in SERVICES), "postgres", "redis", WORKER)


@dataclass(frozen=True)
class Options:
    """The options of `luna up`, and the programs it found."""

    home: str
    port: int
    postgres: str  # directory of its programs
    redis: str
    nginx: str
    robots: int = 2
    speed: float = 10.0
    demo: bool = True
    web: bool = True  # the two web applications
    follows: bool = False  # ends with the command that started it
    tls_port: int = 0  # 0: without TLS


def _python(*words: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-m", *words]


class Native:
    """Builds the components for one home and one port."""

    def __init__(self, home: Home, options: Options, port: int) -> None:
        self.home = home
        self.options = options
        self.port = port
        self.address = f"http://{nginx.HOST}:{port}"
        self.owner_environment = environment.for_owner(home, self.address)
        self.cluster = environment.cluster(home, Path(options.postgres))
        # subreapers exist on Linux only; elsewhere each program imports its packages itself
        self.fork_server = home.socket("fork-server") if sys.platform == "linux" else ""

    def components(self) -> list[Component]:
        services = [
            self._service(name, socket)
            for name in SERVICES
            for socket in environment.instances(name)
        ]
        workers = [self._worker(name) for name in environment.instances(WORKER, "worker")]
        helpers = [self._fork_server()] if self.fork_server else []
        return [
            *helpers,
            *self._storage(),
            self._pages(),
            *workers,  # first: they take longest to start
            *services,
            nginx_component.nginx_component(
                self.home,
                Path(self.options.nginx),
                (self.port, self.options.tls_port),
                needs=frozenset(each.name for each in (*services, *workers)),
            ),
            *(self._demo() if self.options.demo else []),
        ]

    def _fork_server(self) -> Component:
        socket = Path(self.fork_server)
        return Component(
            name=fork_server.NAME,
            command=_python(
                "ops.native.fork_server", self.fork_server, fork_server.COMMAND_LINE_PADDING
            ),
            prepare=lambda: socket.unlink(missing_ok=True),
            ready=lambda: probes.is_listening(self.fork_server),
            environment=environment.base(),
            listed=False,
        )

    def _needs(self, *names: str) -> frozenset[str]:
        """Add the fork server, where there is one, to what a Python program of LUNA needs."""
        return frozenset(names) | ({fork_server.NAME} if self.fork_server else set())

    def _storage(self) -> list[Component]:
        return [*self._postgres(), self._redis(), *self._preparations()]

    def _postgres(self) -> list[Component]:
        base = environment.base()
        user = run_as.unprivileged()[1]
        cluster = self.cluster
        folder = self.home.postgres.resolve()
        password = folder / "password"
        return [
            Component(
                name="cluster",
                command=lambda: cluster.make_command(password),
                already_done=(cluster.data / "PG_VERSION").exists,
                prepare=lambda: self._write_password(password, user),
                finish=password.unlink,
                environment=base,
                job=True,
                user=user,
                capabilities=None,  # it does not run as root
                directory=folder,
            ),
            Component(
                name="postgres",
                command=lambda: cluster.start_command(environment.max_connections()),
                needs=frozenset({"cluster"}),
                prepare=cluster.clear_stale_locks,
                ready=lambda: probes.postgres_answers(cluster.socket),
                answers=lambda: probes.postgres_answers(cluster.socket),
                environment=base,
                stop_signal=signal.SIGINT,  # end sessions and write a checkpoint
                death_signal=signal.SIGINT,
                stop_timeout=30.0,
                user=user,
                capabilities=None,  # it does not run as root
                directory=folder,
                endpoint=cluster.socket,
            ),
        ]

    def _redis(self) -> Component:
        socket = self.home.socket("redis")
        data = self.home.path / "redis"
        password = secret(self.home, "redis")
        return Component(
            name="redis",
            command=lambda: redis_server.start_command(
                Path(self.options.redis), Path(socket), data, password
            ),
            prepare=lambda: data.mkdir(mode=0o700, exist_ok=True),
            ready=lambda: probes.redis_answers(socket, password),
            answers=lambda: probes.redis_answers(socket, password),
            environment=environment.base(),
            endpoint=socket,
        )

    def _preparations(self) -> list[Component]:
        private, public = self.home.keys / "private.pem", self.home.keys / "jwks.json"
        words = ("--private", str(private), "--public", str(public))
        superuser = secret(self.home, "postgres")
        passwords = {
            "LUNA_SUPERUSER_URL": self.cluster.url("postgres", superuser, "postgres"),
            **{f"{role.upper()}_PASSWORD": secret(self.home, role) for role in ROLES},
        }
        migrate = _python("backend.shared.migrations.migrate")
        return [
            self._job("database", _python("ops.servers.database"), ("postgres",), "2", passwords),
            self._job("migrate", migrate, ("database",), environment.schema_checksum()),
            Component(
                name="keys",
                command=_python("backend.shared.web.security.jwks", *words),
                already_done=public.exists,
                environment=environment.base(),
                job=True,
            ),
            Component(
                name="push-keys",
                command=_python("ops.servers.push_keys", str(self.home.keys)),
                already_done=lambda: push_keys.exist(self.home.keys),
                environment=environment.base(),
                job=True,
            ),
        ]

    def _write_password(self, file: Path, user: str | None) -> None:
        write_atomically(file, secret(self.home, "postgres"))
        if user:
            shutil.chown(file, user, user)

    def _job(
        self,
        name: str,
        command: Callable[[], list[str]],
        needs: tuple[str, ...],
        version: str,
        more: dict[str, str] | None = None,
    ) -> Component:
        """Return a job on the database that runs again only when `version` changes.

        Its marker file is next to the cluster, so that both are deleted together.
        """
        marker = self.home.postgres / f"{name}.done"

        def is_done() -> bool:
            return marker.exists() and marker.read_text(encoding="utf-8") == version

        return Component(
            name=name,
            command=command,
            needs=self._needs(*needs),
            fork_server=self.fork_server,
            already_done=is_done,
            finish=lambda: write_atomically(marker, version),
            environment=self.owner_environment | (more or {}),
            job=True,
            start_timeout=300.0,
        )

    def _program_environment(self, name: str) -> dict[str, str]:
        """Return the environment of a service or of the worker, with its own database role."""
        return environment.for_service(self.home, self.address, database_role(name))

    def _service(self, name: str, instance: str) -> Component:
        socket = self.home.socket(instance)
        own = {"LUNA_LISTEN": f"unix:{socket}"}
        if name in RPC_SERVICES:
            own["LUNA_GRPC_LISTEN"] = f"unix:{self.home.socket(f'{instance}-grpc')}"
        if name == "auth":
            own["LUNA_AUTH_PRIVATE_KEY_FILE"] = str(self.home.keys / "private.pem")
        if name == "notification":
            own |= push_keys.settings(self.home.keys)
        return Component(
            name=f"{name}-service{instance.removeprefix(name)}",
            command=_python("backend.shared.web.service_main", name),
            needs=self._needs("migrate", "redis", "keys", "push-keys"),
            fork_server=self.fork_server,
            prepare=lambda: Path(socket).unlink(missing_ok=True),
            ready=lambda: probes.http_answers(socket, "/health/ready"),
            answers=lambda: probes.http_responds(socket, "/health/live"),
            environment=self._program_environment(name) | own,
            endpoint=socket,
            replaceable=True,
            stop_timeout=16.0,  # it drains, and finishes its requests
        )

    def _pages(self) -> Component:
        skip = () if self.options.web else ("--skip",)
        return Component(
            name="pages",
            command=_python("ops.web.build", str(nginx_component.pages_link(self.home)), *skip),
            environment=environment.base(),
            job=True,
            background=True,
            start_timeout=900.0,
        )

    def _worker(self, name: str) -> Component:
        number = name.removeprefix(WORKER)
        ready_file = self.home.work / f"worker-works{number}"
        metrics = self.home.socket(f"worker-metrics{number}")
        return Component(
            name=name,
            command=_python("backend.shared.messaging.worker"),
            needs=self._needs("migrate", "redis", "keys", "push-keys"),
            fork_server=self.fork_server,
            prepare=lambda: ready_file.unlink(missing_ok=True),
            ready=ready_file.exists,
            # stops its children, which SIGKILL would leave behind
            death_signal=signal.SIGTERM,
            stop_timeout=17.0,  # it finishes its tasks
            environment=self._program_environment("worker")
            | {
                "LUNA_READY_FILE": str(ready_file),
                "LUNA_METRICS_LISTEN": f"unix:{metrics}",
            }
            | push_keys.settings(self.home.keys),
            endpoint=self.home.socket("redis"),
        )

    def _demo(self) -> list[Component]:
        count = self.options.robots
        seed = self._job(
            "demo",
            _python("ops.demo.seed", "--robots", str(count), "--state-dir", str(self.home.robots)),
            ("migrate", "redis", "keys"),
            version=str(count),
        )
        made = simulators.components(self.home, self.address, count, self.options.speed)
        needs = self._needs("nginx", "demo")
        return [seed, *(replace(each, needs=needs, fork_server=self.fork_server) for each in made)]
