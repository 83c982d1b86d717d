"""A component that runs but does not answer is ended, killed if need be, and started again."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from ops.home import ROOT
from ops.native import watchdog
from ops.native.component import Child, Component, State
from ops.servers import environment
from tests.ops.conftest import SmallLuna, eventually


@pytest.fixture(scope="module")
def impatient() -> Iterator[SmallLuna]:
    """Yield a running small LUNA that restarts what has not answered for a second."""
    with tempfile.TemporaryDirectory(prefix="luna-o-") as folder:
        small = SmallLuna(Path(folder) / "home", more={watchdog.SETTING: "PT1S"})
        started = small.up()
        assert started.returncode == 0, started.stdout + started.stderr
        yield small
        small.luna("down")
        small.wait_until_stopped()


def _pid(luna: SmallLuna, name: str) -> int:
    """Return the process of a component once all are ready: a slow one may just start again."""
    eventually(lambda: luna.state().get("state") == "ready", "everything is ready")
    return int(eventually(lambda: luna.component(name)["pid"], f"{name} runs"))


def _is_restarted(luna: SmallLuna, name: str, pid: int) -> None:
    eventually(lambda: luna.component(name)["pid"] not in {pid, None}, f"{name} was restarted")
    eventually(lambda: luna.state()["state"] == "ready", "everything is ready again")
    assert pid not in luna.processes()


@pytest.mark.parametrize(
    "name", ["postgres", "redis", "nginx", "book-service", "celery-worker", "robot-1"]
)
def test_stopped_component_is_killed_and_restarted(impatient: SmallLuna, name: str) -> None:
    pid = _pid(impatient, name)
    os.kill(pid, signal.SIGSTOP)
    _is_restarted(impatient, name, pid)


def test_smart_shutdown_of_postgres_that_waits_for_a_client_is_ended(impatient: SmallLuna) -> None:
    """SIGTERM: PostgreSQL refuses new connections and waits for its clients."""
    pid = _pid(impatient, "postgres")
    client = psycopg2.connect(
        host=str((impatient.home / "run" / "postgres").resolve()),
        user="luna_worker",
        password=(impatient.home / "keys" / "luna_worker.secret").read_text(),
        dbname="luna",
    )
    os.kill(pid, signal.SIGTERM)
    _is_restarted(impatient, "postgres", pid)
    with pytest.raises(psycopg2.OperationalError), client.cursor() as cursor:
        cursor.execute("SELECT 1")
    client.close()


def test_component_is_unresponsive_only_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, answers = [100.0], [False]
    monkeypatch.setattr("ops.native.watchdog.time.monotonic", lambda: clock[0])
    child = Child(Component(name="x", command=list, answers=lambda: answers[0]))
    child.enter(State.READY)
    watch = watchdog.Watchdog(30.0)

    def pass_time(seconds: float) -> bool:
        """Probe as often as the supervisor does; return whether it was found unresponsive."""
        end = clock[0] + seconds
        while clock[0] < end:
            clock[0] += watch.interval
            if list(watch.find_unresponsive([child])):
                return True
        return False

    assert not pass_time(25)
    answers[0] = True
    assert not pass_time(10)
    answers[0] = False
    assert not pass_time(29)
    assert pass_time(6)


def test_timeout_is_the_documented_default_and_refuses_other_formats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(watchdog.SETTING, raising=False)
    assert environment.read_dotenv(ROOT / ".env.example")[watchdog.SETTING] == watchdog.DEFAULT
    assert watchdog.timeout() == 30.0
    monkeypatch.setenv(watchdog.SETTING, "30")
    with pytest.raises(ValueError, match=watchdog.SETTING):
        watchdog.timeout()
