"""The first contact: a one-time code becomes the robot's key."""

import os
from pathlib import Path

import httpx

from bridge.messages import MalformedError, mapping, text
from bridge.protocol.client import (
    ANSWER_TIMEOUT_S,
    DeclinedError,
    UnreachableError,
    make_http,
    read,
)


class EnrolmentFailedError(Exception):
    """The robot has no key; the text says why and what to do."""


async def enrol(url: str, code: str, key_file: Path, version: str) -> str:
    """Write the key where only its owner can read it; returns the robot's name.

    The file is made before the code is used up: a code that was spent on a key which cannot be
    kept would be lost.
    """
    body = {"code": code, "software_version": version, "capabilities": {}}
    fresh = key_file.with_name(key_file.name + ".new")
    try:
        key_file.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="ascii") as out:
            async with make_http(url) as http:
                answer = await http.post("/enroll", json=body, timeout=ANSWER_TIMEOUT_S)
            data = mapping(read(answer), "enrolment")
            out.write(text(data, "key") + "\n")
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(key_file)
        return text(data, "robot_name")
    except DeclinedError as error:
        raise EnrolmentFailedError(f"LUNA declined the code: {error}") from error
    except (httpx.HTTPError, UnreachableError, MalformedError) as error:
        raise EnrolmentFailedError(f"LUNA did not answer as expected: {error}") from error
    except OSError as error:
        raise EnrolmentFailedError(f"The key cannot be kept: {error}") from error
    finally:
        fresh.unlink(missing_ok=True)
