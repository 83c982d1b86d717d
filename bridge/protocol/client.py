"""The connections to LUNA: the envelope, its errors, and patience when nothing answers."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from bridge.logs import Log
from bridge.messages import Json
from bridge.protocol.link_monitor import LinkMonitor
from bridge.timeouts import Timeouts

BASE = "/api/v1/robot/bridge"
ANSWER_TIMEOUT_S = 5.0
UNREACHABLE_STATUS = 500  # and above: LUNA is there, but cannot answer now
TOO_MANY = 429
UNAUTHENTICATED = 401
KEY_REFUSED_ADVICE = (
    "the robot stands still and asks again slowly; an admin must issue it a new key"
)


class UnreachableError(Exception):
    """No usable answer: no network, a timeout, LUNA is starting or overloaded. Worth a retry."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class DeclinedError(Exception):
    """LUNA understood and said no; asking the same again would not help."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code


class LeaseLostError(DeclinedError):
    """Somebody else holds the command now, or nobody: it must be halted."""


class SupersededError(DeclinedError):
    """A newer session of this robot exists: this bridge must never drive it again."""


class KeyRefusedError(DeclinedError):
    """The robot's key is unknown or revoked."""


class Backoff:
    """Growing, jittered pauses, so that a fleet does not knock all at once."""

    def __init__(self, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    def pause(self) -> float:
        """Seconds to wait now; twice as long each time, up to the most."""
        pause, self._next = self._next, min(self._next * 2, self._most)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards no secret


class KeyFileMissingError(Exception):
    """There is no key to show LUNA; the text says what to do."""


class Key:
    """The robot's key, read anew from its file when LUNA refuses it (it may have been rotated)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._value = self._read()

    def reload(self) -> None:
        with contextlib.suppress(KeyFileMissingError):  # half written: the next look finds it whole
            self._value = self._read()

    def header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._value}"}

    def _read(self) -> str:
        try:
            key = self._file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            key = ""
        if not key:
            raise KeyFileMissingError(
                f"{self._file} holds no key; run: python -m bridge enroll --help"
            )
        return key


def make_http(url: str) -> httpx.AsyncClient:
    """One HTTP client with connections of its own; plain http loads no certificate store."""
    secure = url.startswith("https:")
    tls = ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(base_url=url.rstrip("/") + BASE, verify=tls, trust_env=secure)


class ApiClient:
    """One line to LUNA, which carries one call at a time and waits for no other line."""

    def __init__(
        self, http: httpx.AsyncClient, key: Key, contact: LinkMonitor, timing: Timeouts, log: Log
    ) -> None:
        self._http = http
        self._key = key
        self._contact = contact
        self._timing = timing
        self._log = log
        self._backoff = Backoff(timing.retry_first, timing.retry_most)
        self._down = False

    async def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        timeout: float = ANSWER_TIMEOUT_S,  # noqa: ASYNC109  handed on to httpx
    ) -> Any:
        """Ask once, return `data`; raises UnreachableError, DeclinedError or one of its kinds."""
        try:
            async with asyncio.timeout(timeout):
                answer = await self._http.request(
                    method, path, json=body, params=query, timeout=timeout,
                    headers=self._key.header(),
                )  # fmt: skip
            data = read(answer)
        except (httpx.TransportError, TimeoutError) as error:
            self._contact.failed()
            raise UnreachableError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        except UnreachableError:
            self._contact.failed()
            raise
        self._contact.answered()
        self._backoff.reset()
        if self._down:
            self._down = False
            self._log.info("luna.reached", path=path)
        return data

    async def recover(self, error: UnreachableError | DeclinedError) -> None:
        """Wait before the next try: longer each time, and long when only a person can help.

        Raises SupersededError on, since nothing can help then.
        """
        if isinstance(error, SupersededError):
            raise error
        if isinstance(error, KeyRefusedError):
            await self._contact.key_refused()
            self._log.alarm("key.refused", reason=str(error), action=KEY_REFUSED_ADVICE)
            await asyncio.sleep(self._timing.key_retry)
            self._key.reload()
            return
        if not self._down:
            self._down = True
            self._log.warning("luna.unreachable", reason=str(error))
        asked = error.retry_after if isinstance(error, UnreachableError) else 0.0
        await asyncio.sleep(max(self._backoff.pause(), asked))

    async def insist(self, method: str, path: str, body: Json | None = None) -> Any:
        """Ask the same again until LUNA grants it; raises only SupersededError."""
        while True:
            try:
                return await self.call(method, path, body)
            except (UnreachableError, DeclinedError) as error:
                await self.recover(error)


def read(answer: httpx.Response) -> Any:
    """The `data` of an envelope, or the error that it stands for."""
    if answer.status_code >= UNREACHABLE_STATUS or answer.status_code == TOO_MANY:
        raise UnreachableError(f"HTTP {answer.status_code}", _retry_after(answer))
    try:
        envelope = answer.json()
        if envelope["success"] is True:
            return envelope["data"]
        code = str(envelope["error"]["code"])
        message = str(envelope["error"]["message"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnreachableError(f"HTTP {answer.status_code} without LUNA's envelope") from error
    raise _declined(answer.status_code, code, message)


def _declined(status: int, code: str, message: str) -> DeclinedError:
    kinds: dict[str, type[DeclinedError]] = {
        "LEASE_LOST": LeaseLostError,
        "STALE_EPOCH": SupersededError,
    }
    kind = KeyRefusedError if status == UNAUTHENTICATED else kinds.get(code, DeclinedError)
    return kind(status, code, message)


def _retry_after(answer: httpx.Response) -> float:
    """What a limited caller was asked to wait, at most 10 s; after an outage we come sooner."""
    asked = answer.headers.get("Retry-After", "")
    limited = answer.status_code == TOO_MANY and asked.isdigit()
    return min(float(asked), 10.0) if limited else 0.0
