"""What LUNA natively consists of, and in which order: the nine parts of the Compose file.

What is Python of ours waits for the nursery besides, which makes it start much faster.

cluster ─ postgres ─ database ─ migrate ─┬─ five services ─┬─ nginx ─ robots
redis ───────────────────────────────────┼─ celery-worker ─┘
keys ────────────────────────────────────┴─ demo ───────────────────── robots
"""

import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ops.home import Home, read_json, secret, write_whole
from ops.native import fork_server, nginx_component
from ops.native.component import Component
from ops.servers import environment, nginx, probes, redis_server, run_as
from ops.servers.environment import SERVICES

COMPONENTS = (
    "nginx",
    *(f"{name}-service" for name in SERVICES),
    "postgres",
    "redis",
    "celery-worker",
)


@dataclass(frozen=True)
class Options:
    """What `luna up` was asked for, and what it found out before."""

    home: str
    port: int
    postgres: str  # directory of its programs
    redis: str
    nginx: str
    robots: int = 2
    speed: float = 10.0
    demo: bool = True
    follows: bool = False  # ends with the command that started it


def _python(*words: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-m", *words]


class Native:
    """Builds the parts for one home and one port."""

    def __init__(self, home: Home, options: Options, port: int) -> None:
        self.home = home
        self.options = options
        self.port = port
        self.address = f"http://{nginx.HOST}:{port}"
        self.services_environment = environment.of_services(home, self.address) | {
            "LUNA_SIMULATION_SPEED": str(options.speed)
        }
        self.owner_environment = environment.of_owner(home, self.address)
        self.cluster = environment.cluster(home, Path(options.postgres))
        # it relies on Linux's adoption of orphans; elsewhere each program imports for itself
        self.nursery = home.socket("nursery") if sys.platform == "linux" else ""

    def parts(self) -> list[Component]:
        services = [self._service(name) for name in SERVICES]
        helpers = [self._nursery()] if self.nursery else []
        return [
            *helpers,
            *self._storage(),
            *services,
            self._worker(),
            nginx_component.nginx_component(
                self.home,
                Path(self.options.nginx),
                self.port,
                needs=frozenset({*(part.name for part in services), "celery-worker"}),
            ),
            *(self._demo() if self.options.demo else []),
        ]

    def _nursery(self) -> Component:
        socket = Path(self.nursery)
        return Component(
            name="nursery",
            command=_python("ops.native.fork_server", self.nursery, fork_server.ROOM_FOR_A_NAME),
            prepare=lambda: socket.unlink(missing_ok=True),
            ready=lambda: probes.somebody_listens(self.nursery),
            environment=environment.base(),
            listed=False,
        )

    def _ours(self, *names: str) -> frozenset[str]:
        """What a Python program of ours needs: these parts, and the nursery where there is one."""
        return frozenset(names) | ({"nursery"} if self.nursery else set())

    def _storage(self) -> list[Component]:
        return [*self._postgres(), self._redis(), *self._preparations()]

    def _postgres(self) -> list[Component]:
        base = environment.base()
        user = run_as.stand_in()[1]
        cluster = self.cluster
        folder = self.home.postgres.resolve()
        password = folder / "password"
        return [
            Component(
                name="cluster",
                command=lambda: cluster.make_command(password),
                already_done=(cluster.data / "PG_VERSION").exists,
                prepare=lambda: self._hand_out_password(password, user),
                finish=password.unlink,
                environment=base,
                job=True,
                user=user,
                directory=folder,
            ),
            Component(
                name="postgres",
                command=cluster.start_command,
                needs=frozenset({"cluster"}),
                prepare=cluster.clear_stale_locks,
                ready=lambda: probes.postgres_answers(cluster.socket),
                environment=base,
                stop_signal=signal.SIGINT,  # end sessions, write everything down
                death_signal=signal.SIGINT,
                stop_within=30.0,
                user=user,
                directory=folder,
                endpoint=cluster.socket,
            ),
        ]

    def _redis(self) -> Component:
        socket = self.home.socket("redis")
        data = self.home.path / "redis"
        return Component(
            name="redis",
            command=lambda: redis_server.start_command(
                Path(self.options.redis), Path(socket), data
            ),
            prepare=lambda: data.mkdir(mode=0o700, exist_ok=True),
            ready=lambda: probes.redis_answers(socket),
            environment=environment.base(),
            endpoint=socket,
        )

    def _preparations(self) -> list[Component]:
        private, public = self.home.keys / "private.pem", self.home.keys / "jwks.json"
        words = ("--private", str(private), "--public", str(public))
        superuser = secret(self.home, "postgres")
        passwords = {
            "LUNA_SUPERUSER_URL": self.cluster.url("postgres", superuser, "postgres"),
            "LUNA_OWNER_PASSWORD": secret(self.home, "luna_owner"),
            "LUNA_APP_PASSWORD": secret(self.home, "luna_app"),
        }
        migrate = _python("backend.shared.migrations.migrate")
        return [
            self._job("database", _python("ops.servers.database"), ("postgres",), "1", passwords),
            self._job("migrate", migrate, ("database",), environment.schema_mark()),
            Component(
                name="keys",
                command=_python("backend.shared.web.security.jwks", *words),
                already_done=public.exists,
                environment=environment.base(),
                job=True,
            ),
        ]

    def _hand_out_password(self, file: Path, user: str | None) -> None:
        write_whole(file, secret(self.home, "postgres"))
        if user:
            shutil.chown(file, user, user)

    def _job(
        self,
        name: str,
        command: Callable[[], list[str]],
        needs: tuple[str, ...],
        mark: str,
        more: dict[str, str] | None = None,
    ) -> Component:
        """A job whose result lives in the database, done again only when `mark` changes.

        The note lies beside the cluster, so that it goes when the cluster does.
        """
        note = self.home.postgres / f"{name}.done"

        def noted() -> bool:
            return note.exists() and note.read_text(encoding="utf-8") == mark

        return Component(
            name=name,
            command=command,
            needs=self._ours(*needs),
            nursery=self.nursery,
            already_done=noted,
            finish=lambda: write_whole(note, mark),
            environment=self.owner_environment | (more or {}),
            job=True,
            start_within=300.0,
        )

    def _service(self, name: str) -> Component:
        socket = self.home.socket(name)
        own = {"LUNA_LISTEN": f"unix:{socket}"}
        if name == "auth":
            own["LUNA_AUTH_PRIVATE_KEY_FILE"] = str(self.home.keys / "private.pem")
        return Component(
            name=f"{name}-service",
            command=_python("backend.shared.web.service_main", name),
            needs=self._ours("migrate", "redis", "keys"),
            nursery=self.nursery,
            prepare=lambda: Path(socket).unlink(missing_ok=True),
            ready=lambda: probes.http_answers(socket, "/health/ready"),
            environment=self.services_environment | own,
            endpoint=socket,
        )

    def _worker(self) -> Component:
        working = self.home.work / "worker-works"
        return Component(
            name="celery-worker",
            command=_python("backend.shared.messaging.worker"),
            needs=self._ours("migrate", "redis", "keys"),
            nursery=self.nursery,
            prepare=lambda: working.unlink(missing_ok=True),
            ready=working.exists,
            # its children end when it ends in order, so it is asked to, even by the kernel
            death_signal=signal.SIGTERM,
            stop_within=17.0,  # it lets its tasks end
            environment=self.owner_environment | {"LUNA_READY_FILE": str(working)},
            endpoint=self.home.socket("redis"),
        )

    def _demo(self) -> list[Component]:
        count = self.options.robots
        seed = self._job(
            "demo",
            _python("ops.demo.seed", "--robots", str(count), "--state-dir", str(self.home.robots)),
            ("migrate", "redis", "keys"),
            mark=str(count),
        )
        return [seed, *(self._robot(number) for number in range(1, count + 1))]

    def _robot(self, number: int) -> Component:
        def command() -> list[str]:
            key = sorted(self.home.robots.glob("*.key"))[number - 1]
            start = read_json(key.with_suffix(".json"))
            words = ["bridge", "run", "--driver", "simulator", "--url", self.address]
            words += ["--key-file", str(key), "--speed", str(self.options.speed)]
            words += ["--state-dir", str(self.home.robots / key.stem)]
            for field in ("waypoint", "x", "y", "floor"):
                words += [f"--start-{field}", str(start[field])]
            return [sys.executable, "-m", *words]

        return Component(
            name=f"robot-{number}",
            command=command,
            needs=self._ours("nginx", "demo"),
            nursery=self.nursery,
            ready=lambda: True,
            environment={
                name: value
                for name, value in environment.base().items()
                if not name.startswith("LUNA_")
            },
            stop_within=5.0,
            endpoint=self.address,
        )
