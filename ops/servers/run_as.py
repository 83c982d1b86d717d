"""Run programs without root's privileges when LUNA is started as root."""

import functools
import os
import pwd
import shutil
import subprocess

from ops.home import ROOT
from ops.servers.prerequisites import MissingProgramsError

UNSHARE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
CAP_DAC = frozenset({1, 2})  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
UNPRIVILEGED_USERS = ("postgres", "nobody")


@functools.cache
def file_capabilities() -> frozenset[int]:
    """Return the capabilities without which root could not read a checkout of another user."""
    return frozenset() if ROOT.stat().st_uid == 0 else CAP_DAC


@functools.cache
def unprivileged() -> tuple[tuple[str, ...], str | None]:
    """Return (prefix of the command, user to switch to), so that PostgreSQL does not run as root.

    A user namespace is preferred: files keep their owner, and a checkout in a private directory
    works. Where containers forbid it, another account is used, with its files outside the checkout.
    """
    if os.geteuid() != 0:
        return (), None
    if shutil.which("unshare"):
        probe = subprocess.run(  # noqa: S603 — a fixed command
            [*UNSHARE, "true"], capture_output=True, check=False
        )
        if probe.returncode == 0:
            return UNSHARE, None
    for name in UNPRIVILEGED_USERS:
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return (), name
    raise MissingProgramsError(
        "PostgreSQL refuses to run as root, and neither a user namespace nor a user “postgres” "
        "is available. Run ./luna as an ordinary user."
    )
