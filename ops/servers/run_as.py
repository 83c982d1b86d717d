"""Running a program that refuses to be root, when we are root."""

import functools
import os
import pwd
import shutil
import subprocess

from ops.servers.prerequisites import MissingProgramsError

UNSHARE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
STAND_IN_USERS = ("postgres", "nobody")


@functools.cache
def stand_in() -> tuple[tuple[str, ...], str | None]:
    """(words to put before a command, user to switch to) so that PostgreSQL does not see root.

    A user namespace is best: files stay ours, and a checkout below a private directory works. Where
    containers forbid it, another account is taken; its files then live outside the checkout.
    """
    if os.geteuid() != 0:
        return (), None
    if shutil.which("unshare"):
        probe = subprocess.run(  # noqa: S603 — a fixed command
            [*UNSHARE, "true"], capture_output=True, check=False
        )
        if probe.returncode == 0:
            return UNSHARE, None
    for name in STAND_IN_USERS:
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return (), name
    raise MissingProgramsError(
        "PostgreSQL refuses to run as root, and there is neither a user namespace nor a user "
        "“postgres” here. Run ./luna as an ordinary user."
    )
