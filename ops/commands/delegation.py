"""Run a module as a program in the environment of the running LUNA."""

import os
import sys
from typing import NoReturn

import typer

from ops import compose
from ops.home import Home
from ops.native import status
from ops.servers import environment

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
RUN_IN_CONTAINER = {
    "backend.shared.migrations.migrate",
    "ops.commands.create_admin",
    "ops.commands.check",
    "ops.commands.security.verify_audit",
}  # need only the database


def delegate(module: str, *words: str) -> NoReturn:
    """Replace this process by `python -m module`, or run it in the worker's container."""
    home = Home.chosen()
    if compose.is_running(home):
        if module not in RUN_IN_CONTAINER:
            fail("This command needs a native LUNA: ./luna down, then ./luna up --native")
        raise typer.Exit(compose.run_inside(home, module, *words))
    now = status.current(home)
    if now["state"] == "down":
        fail("LUNA is not running here: run ./luna up first")
    own = environment.with_dotenv() | environment.for_owner(home, now["address"])
    os.execve(sys.executable, [sys.executable, "-m", module, *words], own)  # noqa: S606 — no shell


def fail(reason: str) -> NoReturn:
    """Print the reason and exit with 1."""
    print(reason, file=sys.stderr)
    raise typer.Exit(1)
