"""The `luna` command: what can be asked for, in words. The work is done elsewhere in ops/."""

import sys
from typing import Annotated

import typer

from ops.provision import EXIT_MISSING, MissingProgramsError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.callback()
def luna() -> None:
    """LUNA: a library whose books travel by robot."""


@app.command("test", context_settings=PASS_ON)
def run_tests(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="default, unit, api, e2e, chaos or all")] = "default",
) -> None:
    """Run the tests on a PostgreSQL and a Redis of their own; more words go to pytest."""
    from ops import testing

    words = context.args
    if suite not in testing.SUITES:
        suite, words = "default", [suite, *words]
    raise typer.Exit(testing.run(suite, words))


def main() -> None:
    """Run the command; what is missing on this machine is said and ends with 3."""
    try:
        app()
    except MissingProgramsError as missing:
        print(missing, file=sys.stderr)
        sys.exit(EXIT_MISSING)
