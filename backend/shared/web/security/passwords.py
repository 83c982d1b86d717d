"""Password hashing: argon2id through passlib, which only this module imports."""

import os
import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from passlib.context import CryptContext
from prometheus_client import Counter

# OWASP's minimum for argon2id; higher values rehash at the next login.
MAX_LENGTH = 4096  # characters that passlib accepts
_passwords = CryptContext(
    schemes=["argon2"], argon2__memory_cost=19 * 1024, argon2__time_cost=2, argon2__parallelism=1
)


_NICENESS = 10
NO_PASSWORD = "!"  # noqa: S105 (stored instead of a hash: no password matches)


_HASHES = Counter("luna_password_hashes", "Password hashes computed, to store or to compare")


def _lower_priority() -> None:
    if sys.platform == "linux":  # of this thread alone; elsewhere it would be the process's
        thread = threading.get_native_id()
        present = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(present + _NICENESS, 19))


# Hashes get what other requests leave of the processors: a flood of sign-ins delays sign-ins.
_threads = ThreadPoolExecutor(2, "password-hash", initializer=_lower_priority)


def hash_password(password: str) -> str:
    """Return the hash to store."""
    _HASHES.inc()
    return _threads.submit(_passwords.hash, password).result()


@cache
def _dummy_hash() -> str:
    return hash_password(secrets.token_urlsafe(16))


def verify_password(password: str, password_hash: str | None) -> tuple[bool, str | None]:
    """Return whether a password matches, and a new hash to store if parameters have risen.

    Without a hash (no such account) or with a password that is too long the same work is done, so
    that timing reveals nothing.
    """
    is_possible = password_hash not in {None, NO_PASSWORD} and len(password) <= MAX_LENGTH
    expected = password_hash if is_possible and password_hash else _dummy_hash()
    _HASHES.inc()
    compare = _threads.submit(_passwords.verify_and_update, password[:MAX_LENGTH], expected)
    matches, renewed = compare.result()
    return matches and is_possible, renewed
