"""Enrollment: exchanges a one-time code for the robot's key."""

import os
from pathlib import Path

import httpx

from bridge.messages import MalformedError, mapping, text
from bridge.protocol.client import (
    RESPONSE_TIMEOUT_S,
    DeclinedError,
    UnreachableError,
    make_http,
    read,
)


class EnrollmentFailedError(Exception):
    """Enrollment failed; the text says why."""


async def enroll(url: str, code: str, key_file: Path, version: str) -> str:
    """Write the key to a file that only its owner can read; returns the robot's name.

    The file is created before the code is used, so that no code is used for a key that can't be
    stored.
    """
    body = {"code": code, "software_version": version, "capabilities": {}}
    fresh = key_file.with_name(key_file.name + ".new")
    try:
        key_file.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="ascii") as out:
            async with make_http(url) as http:
                response = await http.post("/enroll", json=body, timeout=RESPONSE_TIMEOUT_S)
            data = mapping(read(response), "enrollment")
            out.write(text(data, "key") + "\n")
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(key_file)
        return text(data, "robot_name")
    except DeclinedError as error:
        raise EnrollmentFailedError(f"LUNA declined the code: {error}") from error
    except (httpx.HTTPError, UnreachableError, MalformedError) as error:
        raise EnrollmentFailedError(f"LUNA did not answer as expected: {error}") from error
    except OSError as error:
        raise EnrollmentFailedError(f"The key can't be written: {error}") from error
    finally:
        fresh.unlink(missing_ok=True)
