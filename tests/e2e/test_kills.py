"""A delivery completes, with every step once, while components are killed with SIGKILL.

worker killed → Redis killed and emptied → delivery service killed → PostgreSQL killed
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import redis

from ops.api_client import ApiClient, ApiError
from ops.home import Home, secret
from ops.servers import redis_server
from tests.e2e.conftest import System

_COMPLETION_TIMEOUT = 60.0  # seconds after the last kill
_pause = threading.Event()  # never set


def _until(condition: Callable[[], bool], timeout: float, what: str) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (ApiError, httpx.HTTPError, OSError, KeyError, ValueError):
            pass  # a component is restarting
        _pause.wait(0.05)  # what is waited for needs the processor
    raise AssertionError(f"not within {timeout:.0f} s: {what}")


def _kill(system: System, component: str) -> int:
    pid = system.pid(component)
    os.kill(pid, signal.SIGKILL)
    return pid


def _is_back(system: System, component: str, killed: int) -> bool:
    service = system.component(component)
    return bool(service["state"] == "ready" and service["pid"] != killed)


def _empty_redis(system: System, killed: int) -> None:
    """Delete all data of the restarted Redis, also what it had on disk."""
    _until(lambda: _is_back(system, "redis", killed), 20, "redis is ready again")
    endpoint = system.component("redis")["endpoint"]
    password = secret(Home(system.home), "redis")
    client = redis.Redis.from_url(redis_server.url(endpoint, password))
    _until(lambda: bool(client.flushall()), 10, "redis can be emptied")
    client.close()


def _free_book(student: ApiClient, librarian: ApiClient) -> Any:
    books = librarian.request("GET", "/books?available=true&limit=50&sort=title")
    mine = {row["book_id"] for row in student.request("GET", "/requests?limit=100")}
    return next(book for book in books if book["id"] not in mine)


def test_delivery_completes_after_every_component_is_killed(system: System) -> None:
    student, librarian = system.account("STUDENT"), system.account("LIBRARIAN")
    book = _free_book(student, librarian)
    made = student.request(
        "POST",
        "/requests",
        json={"book_id": book["id"], "request_location": "Study Room 203"},
        headers={"Idempotency-Key": f"kills-{time.time_ns()}"},
    )
    task = made["task"]["id"]

    def stage() -> Any:
        found = librarian.request("GET", f"/deliveries/{task}")
        return found["stage"] or found["status"]

    _kill(system, "celery-worker")
    _until(lambda: stage() == "LOADING", 120, "the robot is at the desk")

    _empty_redis(system, _kill(system, "redis"))
    _until(
        lambda: librarian.request("PUT", f"/deliveries/{task}/book-placed") is not None,
        120,
        "the loading is confirmed",
    )
    killed = _kill(system, "delivery-service")
    _until(lambda: _is_back(system, "delivery-service", killed), 120, "the service is ready again")
    _kill(system, "postgres")
    last_kill = time.monotonic()

    arrived = {"HANDOVER", "COMPLETED"}
    _until(lambda: stage() in arrived, _COMPLETION_TIMEOUT, "the robot has arrived")
    _until(
        lambda: student.request("PUT", f"/requests/{made['id']}/complete")["status"] == "COMPLETED",
        _COMPLETION_TIMEOUT - (time.monotonic() - last_kill),
        "the book is handed over",
    )
    _assert_invariants_hold(system)
    _assert_every_step_once(librarian.request("GET", f"/deliveries/{task}")["history"])
    loans = student.request("GET", "/loans?limit=100")
    assert [loan["book_id"] for loan in loans].count(book["id"]) == 1


def _assert_invariants_hold(system: System) -> None:
    checked = system.luna("check")
    assert checked.returncode == 0, checked.stdout


def _assert_every_step_once(history: list[dict[str, Any]]) -> None:
    steps = [(step["to_status"], step["to_stage"]) for step in history]
    assert len(steps) == len(set(steps)), f"a step was executed twice: {steps}"


def test_emergency_stop_reaches_robots_while_the_worker_hangs(system: System) -> None:
    librarian = system.account("LIBRARIAN")
    _until(lambda: system.state()["state"] == "ready", 60, "the system is ready")
    worker = system.pid("celery-worker")
    os.kill(worker, signal.SIGSTOP)  # it hangs; it is restarted much later
    try:
        outcome = librarian.request("POST", "/robot/emergency-stop", json={"reason": "a drill"})
        assert len(outcome["robots"]) == 2

        def all_are_stopped() -> bool:
            robots = librarian.request("GET", "/robot/status")
            return {robot["stop_state"] for robot in robots} == {"MOTION_STOPPED"}

        _until(all_are_stopped, 5, "both robots report that they have stopped")
    finally:
        os.kill(worker, signal.SIGCONT)
    librarian.request("POST", "/robot/resume", json={"reason": "the drill is over"})
    assert not any(robot["stopped"] for robot in librarian.request("GET", "/robot/status"))
