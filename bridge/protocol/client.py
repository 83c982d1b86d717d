"""HTTP calls to LUNA: the envelope, its errors, and retries with backoff."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from bridge.logs import Log
from bridge.messages import Json
from bridge.protocol.link_monitor import LinkMonitor
from bridge.timeouts import Timeouts

BASE = "/api/v1/robot/bridge"
RESPONSE_TIMEOUT_S = 5.0
UNREACHABLE_STATUS = 500  # and above: LUNA can't respond now
TOO_MANY = 429
UNAUTHENTICATED = 401
KEY_REFUSED_ACTION = "the robot stays stopped and retries slowly; an admin must create a new key"


class UnreachableError(Exception):
    """No usable response: no network, a timeout, LUNA is starting or overloaded. Retry."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class DeclinedError(Exception):
    """LUNA refused the request; repeating it would not help."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code


class LeaseLostError(DeclinedError):
    """The lease of the command is lost: the robot must halt."""


class SupersededError(DeclinedError):
    """A newer session of this robot exists: this bridge must not drive it again."""


class KeyRefusedError(DeclinedError):
    """The robot's key is unknown or revoked."""


class Backoff:
    """Exponential backoff with jitter, so that a fleet does not retry in step."""

    def __init__(self, initial: float, maximum: float) -> None:
        self._initial = initial
        self._maximum = maximum
        self._next = initial

    def reset(self) -> None:
        self._next = self._initial

    def pause(self) -> float:
        """Seconds to wait now; doubles each time, up to the maximum."""
        pause, self._next = self._next, min(self._next * 2, self._maximum)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311  jitter, not cryptography


class KeyFileMissingError(Exception):
    """The key file is missing or empty; the text says what to do."""


class Key:
    """The robot's key; read again from its file when LUNA refuses it, since it may be rotated."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._value = self._read()

    def reload(self) -> None:
        with contextlib.suppress(KeyFileMissingError):  # half written: the next reload reads it
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
    """An HTTP client with its own connections; for plain http it loads no certificates."""
    secure = url.startswith("https:")
    return httpx.AsyncClient(
        base_url=url.rstrip("/") + BASE, verify=_tls(secure=secure), trust_env=secure
    )


@cache
def _tls(*, secure: bool) -> ssl.SSLContext:
    """Made once: two hundred simulated robots would spend seconds on their own."""
    return ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _identified(request_id: str | None) -> dict[str, str]:
    return {} if request_id is None else {"X-Request-ID": request_id}


class ApiClient:
    """Calls LUNA over its own connection, one call at a time."""

    def __init__(
        self, http: httpx.AsyncClient, key: Key, link: LinkMonitor, timeouts: Timeouts, log: Log
    ) -> None:
        self._http = http
        self._key = key
        self.link = link
        self._timeouts = timeouts
        self._log = log
        self._backoff = Backoff(timeouts.retry_initial, timeouts.retry_max)
        self._is_down = False

    async def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        timeout: float = RESPONSE_TIMEOUT_S,  # noqa: ASYNC109  passed on to httpx
    ) -> Any:
        """Send one request and return `data`; raises UnreachableError or a DeclinedError."""
        try:
            async with asyncio.timeout(timeout):
                response = await self._http.request(
                    method, path, json=body, params=query, timeout=timeout,
                    headers=self._key.header() | _identified(request_id),
                )  # fmt: skip
            data = read(response)
        except (httpx.TransportError, TimeoutError) as error:
            self.link.record_failure()
            raise UnreachableError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        except UnreachableError:
            self.link.record_failure()
            raise
        self.link.record_response()
        self._backoff.reset()
        if self._is_down:
            self._is_down = False
            self._log.info("luna.reachable", path=path)
        return data

    async def recover(self, error: UnreachableError | DeclinedError) -> None:
        """Wait before a retry: longer each time, and longest while the key is refused.

        Raises a SupersededError again: no retry can succeed.
        """
        if isinstance(error, SupersededError):
            raise error
        if isinstance(error, KeyRefusedError):
            await self.link.key_refused()
            self._log.error("key.refused", reason=str(error), action=KEY_REFUSED_ACTION)
            await asyncio.sleep(self._timeouts.key_retry)
            self._key.reload()
            return
        if not self._is_down:
            self._is_down = True
            self._log.warning("luna.unreachable", reason=str(error))
        asked = error.retry_after if isinstance(error, UnreachableError) else 0.0
        await asyncio.sleep(max(self._backoff.pause(), asked))

    async def retry_forever(self, method: str, path: str, body: Json | None = None) -> Any:
        """Repeat the request until it succeeds; raises only SupersededError."""
        while True:
            try:
                return await self.call(method, path, body)
            except (UnreachableError, DeclinedError) as error:
                await self.recover(error)


def read(response: httpx.Response) -> Any:
    """The `data` of an envelope; raises the error that it holds."""
    if response.status_code >= UNREACHABLE_STATUS or response.status_code == TOO_MANY:
        raise UnreachableError(f"HTTP {response.status_code}", _retry_after(response))
    try:
        envelope = response.json()
        if envelope["success"] is True:
            return envelope["data"]
        code = str(envelope["error"]["code"])
        message = str(envelope["error"]["message"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnreachableError(f"HTTP {response.status_code} without LUNA's envelope") from error
    raise _declined(response.status_code, code, message)


def _declined(status: int, code: str, message: str) -> DeclinedError:
    kinds: dict[str, type[DeclinedError]] = {
        "LEASE_LOST": LeaseLostError,
        "STALE_EPOCH": SupersededError,
    }
    kind = KeyRefusedError if status == UNAUTHENTICATED else kinds.get(code, DeclinedError)
    return kind(status, code, message)


def _retry_after(response: httpx.Response) -> float:
    """Seconds that a 429 asks to wait, at most 10; 0 for other responses."""
    asked = response.headers.get("Retry-After", "")
    limited = response.status_code == TOO_MANY and asked.isdigit()
    return min(float(asked), 10.0) if limited else 0.0
