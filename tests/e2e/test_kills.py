"""While a delivery is under way everything dies in turn; the delivery still ends, nothing doubled.

worker killed → Redis killed and emptied → delivery service killed → PostgreSQL killed, all by -9.
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import redis

from ops.demo.demo_client import DemoError, Person
from tests.e2e.conftest import System

_ENDS_WITHIN = 60.0  # seconds after the last kill


def _until(holds: Callable[[], bool], within: float, what: str) -> None:
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            if holds():
                return
        except (DemoError, httpx.HTTPError, OSError, KeyError, ValueError):
            pass  # a part is away just now; that is what this is about
    raise AssertionError(f"not within {within:.0f} s: {what}")


def _kill(system: System, part: str) -> int:
    pid = system.pid(part)
    os.kill(pid, signal.SIGKILL)
    return pid


def _is_back(system: System, part: str, killed: int) -> bool:
    service = next(s for s in system.status()["services"] if s["name"] == part)
    return bool(service["state"] == "ready" and service["pid"] != killed)


def _empty_redis(system: System, killed: int) -> None:
    """Killed and flushed: whatever Redis kept on disk is forgotten too."""
    _until(lambda: _is_back(system, "redis", killed), 20, "redis is back")
    endpoint = next(s for s in system.status()["services"] if s["name"] == "redis")["endpoint"]
    client = redis.Redis(unix_socket_path=str(Path(endpoint)))
    _until(lambda: bool(client.flushall()), 10, "redis can be emptied")
    client.close()


def _free_book(student: Person, librarian: Person) -> Any:
    books = librarian.ask("GET", "/books?available=true&limit=50&sort=title")
    mine = {row["book_id"] for row in student.ask("GET", "/requests?limit=100")}
    return next(book for book in books if book["id"] not in mine)


def test_a_delivery_survives_the_death_of_everything(system: System) -> None:
    student, librarian = system.person("STUDENT"), system.person("LIBRARIAN")
    book = _free_book(student, librarian)
    made = student.ask(
        "POST",
        "/requests",
        json={"book_id": book["id"], "request_location": "Study Room 203"},
        headers={"Idempotency-Key": f"kills-{time.time_ns()}"},
    )
    task = made["task"]["id"]

    def stage() -> Any:
        found = librarian.ask("GET", f"/deliveries/{task}")
        return found["stage"] or found["status"]

    _kill(system, "celery-worker")
    _until(lambda: stage() == "LOADING", 60, "the robot is at the desk")

    _empty_redis(system, _kill(system, "redis"))
    _until(
        lambda: librarian.ask("PUT", f"/deliveries/{task}/book-placed") is not None,
        30,
        "the loading is confirmed",
    )
    killed = _kill(system, "delivery-service")
    _until(lambda: _is_back(system, "delivery-service", killed), 30, "the service is back")
    _kill(system, "postgres")
    last_kill = time.monotonic()

    _until(lambda: stage() in {"HANDOVER", "COMPLETED"}, _ENDS_WITHIN, "the robot is there")
    _until(
        lambda: student.ask("PUT", f"/requests/{made['id']}/complete")["status"] == "COMPLETED",
        _ENDS_WITHIN - (time.monotonic() - last_kill),
        "the book is handed over",
    )
    checked = system.luna("check")
    assert checked.returncode == 0, checked.stdout
    _nothing_is_doubled(librarian.ask("GET", f"/deliveries/{task}")["history"])
    loans = student.ask("GET", "/loans?limit=100")
    assert [loan["book_id"] for loan in loans].count(book["id"]) == 1


def _nothing_is_doubled(history: list[dict[str, Any]]) -> None:
    steps = [(step["to_status"], step["to_stage"]) for step in history]
    assert len(steps) == len(set(steps)), f"a step was done twice: {steps}"


def test_a_stop_reaches_the_robot_while_the_worker_is_dead(system: System) -> None:
    librarian = system.person("LIBRARIAN")
    _until(lambda: system.status()["state"] == "ready", 60, "the system is whole")
    worker = system.pid("celery-worker")
    os.kill(worker, signal.SIGSTOP)  # dead to the world, and not started again by anyone
    try:
        outcome = librarian.ask("POST", "/robot/emergency-stop", json={"reason": "a drill"})
        assert len(outcome["robots"]) == 2

        def all_stand_still() -> bool:
            robots = librarian.ask("GET", "/robot/status")
            return {robot["stop_state"] for robot in robots} == {"MOTION_STOPPED"}

        _until(all_stand_still, 5, "both robots say that they stand still")
    finally:
        os.kill(worker, signal.SIGCONT)
    librarian.ask("POST", "/robot/resume", json={"reason": "the drill is over"})
    assert not any(robot["stopped"] for robot in librarian.ask("GET", "/robot/status"))
