"""Many sign-ins and refreshes at once: few hashes, no oracle, one successor."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from statistics import median
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine, event

from backend.auth.service import sessions
from backend.auth.service.devices import Device
from backend.shared.infra import config, database, request_context
from backend.shared.models import User
from backend.shared.web.security import passwords
from tests.api.auth.registered_user import LOGIN, PASSWORD, REFRESH, RegisteredUser
from tests.factories import users

_GUESSES = 1000
_FAMILIES, _USES = int(os.environ.get("LUNA_TEST_FAMILIES", "40")), 8
_TRIES = 120  # of a round, with known and with unknown addresses
_MAX_HASHES = 10
_MAX_DIFFERENCE = 0.05  # of the times of a known and an unknown address, tried one after the other
_REQUEST_ID = "req_of_this_test"
_ROUNDS = 10  # other programs disturb a measurement; a difference of the code stays in their sum


def _log_in(api: Any, email: str, password: str, **headers: str) -> Any:
    return api.post(LOGIN, json={"email": email, "password": password}, headers=headers)


def _hashes() -> float:
    return REGISTRY.get_sample_value("luna_password_hashes_total") or 0.0


def test_thousand_guesses_compute_few_hashes_and_leave_the_owner_in(
    api: Any, ada: RegisteredUser
) -> None:
    device = _log_in(api, ada.email, PASSWORD).json()["data"]["device_token"]
    before = _hashes()
    with ThreadPoolExecutor(40) as many:
        guesses = many.map(lambda n: _log_in(api, ada.email, f"Loud-lamps-{n}"), range(_GUESSES))
        owner = _log_in(api, ada.email, PASSWORD, **{"X-LUNA-Device": device})
        statuses = {guess.status_code for guess in guesses}
    assert (statuses, owner.status_code) == ({401}, 200)
    assert _hashes() - before <= _MAX_HASHES + 1  # the owner's own


def _measured(send: Callable[[str], Any], email: str) -> tuple[float, str]:
    began = time.perf_counter()
    response = send(email)
    took = time.perf_counter() - began
    varying = {"x-request-id"}
    headers = {name: text for name, text in response.headers.items() if name not in varying}
    body = response.json()
    return took, f"{response.status_code} {body.get('error')} {body.get('data')} {headers}"


def _sender(api: Any, path: str) -> Callable[[str], Any]:
    def send(email: str) -> Any:
        body = {"email": email, **({"password": "Loud-lamps-1"} if path == "login" else {})}
        headers = {"X-Real-IP": "203.0.113.7", "X-Request-ID": _REQUEST_ID}
        return api.post(f"/api/v1/auth/{path}", json=body, headers=headers)

    return send


def _interleave(send: Callable[[str], Any], number: int, times: dict[bool, list[float]]) -> None:
    """Add the times of a round of tries with known and unknown addresses, which answer alike."""
    known = [users.student().email for _ in range(_TRIES // 6)]
    unknown = [f"nobody{number}-{n}@example.edu" for n in range(_TRIES // 6)]
    answers = set()
    for turn, pair in product(range(3), zip(known, unknown, strict=True)):
        both = list(zip((True, False), pair, strict=True))
        for is_known, email in both if turn % 2 else reversed(both):
            took, seen = _measured(send, email)
            times[is_known].append(took)
            answers.add(seen)
    assert len(answers) == 1


def _hash_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash in a third of the time of production, so that differences beside it stand out."""
    slow = passwords._passwords.copy(argon2__memory_cost=8 * 1024)  # noqa: SLF001 (no setting)
    monkeypatch.setattr(passwords, "_passwords", slow)
    expected = passwords.hash_password("Read-books-2026!")
    monkeypatch.setattr(passwords, "_dummy_hash", lambda: expected)
    monkeypatch.setattr(users, "_hashes", {users.PASSWORD: expected})


@pytest.mark.parametrize("path", ["login", "forgot-password"])
def test_known_and_unknown_addresses_cannot_be_told_apart(
    api: Any, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The median ratio of pairs is within 5 %, or that of all where other programs disturbed."""
    _hash_slowly(monkeypatch)
    monkeypatch.setattr(config, "http", lambda: config.HttpSettings(login_failures_per_address=0))
    times: dict[bool, list[float]] = {True: [], False: []}
    apart = []
    for number in range(_ROUNDS):
        _interleave(_sender(api, path), number, times)
        pairs = zip(times[True], times[False], strict=True)
        apart.append(abs(median(known / unknown for known, unknown in pairs) - 1))
        if apart[-1] <= _MAX_DIFFERENCE:
            return
    raise AssertionError(f"medians apart by {apart}")


@pytest.mark.parametrize("path", ["login", "forgot-password"])
def test_known_and_unknown_addresses_cause_the_same_work(api: Any, path: str) -> None:
    """The same statements in the same order, and as many hashes: what time is made of."""
    send = _sender(api, path)
    work: dict[str, tuple[list[str], float]] = {}
    for email in (users.student().email, "nobody@example.edu"):
        send(email)  # reads keys that are remembered for a minute
        sent: list[str] = []

        def note(_c: Any, _k: Any, statement: str, *_: Any, into: list[str] = sent) -> None:
            if request_context.current().request_id == _REQUEST_ID:  # no job's in the background
                into.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        before = _hashes()
        try:
            send(email)
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        work[email] = [each for each in sent if not each.startswith("SET ROLE")], _hashes() - before
    known, unknown = work.values()
    assert known == unknown
    assert len(known[0]) > 1


def test_each_family_has_one_successor_however_often_it_is_refreshed(api: Any) -> None:
    user = users.student()
    device = Device("testclient", None)
    with database.transaction() as session:
        row = session.get_one(User, user.id)
        families = [sessions.start(session, row, device).refresh_token for _ in range(_FAMILIES)]

    def refresh(token: str) -> tuple[int, str | None]:
        response = api.post(REFRESH, json={"refresh_token": token})
        data = response.json().get("data") or {}
        return response.status_code, data.get("refresh_token")

    with ThreadPoolExecutor(2 * _USES) as many:
        answers = list(many.map(refresh, [each for each in families for _ in range(_USES)]))
    for number in range(_FAMILIES):
        own = answers[number * _USES : (number + 1) * _USES]
        successors = {token for status, token in own if status == 200}
        assert len(successors) == 1, own
        assert {status for status, _ in own} == {200}  # the grace answers it again
    assert len({token for _, token in answers}) == _FAMILIES
