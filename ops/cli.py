"""The `luna` command: what can be asked for, in words. The work is done elsewhere in ops/."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ops.home import Home
from ops.servers.prerequisites import EXIT_MISSING, MissingProgramsError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="LUNA: a library whose books travel by robot.",
)
admin = typer.Typer(no_args_is_help=True, help="People who run the library.")
app.add_typer(admin, name="admin")
INSIDE = {
    "backend.shared.migrations.migrate",
    "ops.commands.create_admin",
    "ops.commands.check",
}  # need nothing but the database
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command()
def up(  # noqa: PLR0913 — one parameter for each option
    *,
    port: Annotated[int, typer.Option(help="the next free one when it is taken")] = 8080,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="return when ready")] = False,
    docker: Annotated[
        bool | None, typer.Option("--docker/--native", help="default: Docker when it answers")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="forget all data first")] = False,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="no demo library, no robots")] = False,
    robots: Annotated[int, typer.Option(min=0, max=200, help="simulated robots")] = 2,
    speed: Annotated[float, typer.Option(min=0.1, help="how much faster they drive")] = 10.0,
) -> None:
    """Start the whole system: PostgreSQL, Redis, five services, worker, Nginx, robots."""
    from ops import compose
    from ops.native import lifecycle as starting
    from ops.servers import environment

    home = Home.chosen()
    demo = not no_demo and environment.base().get("LUNA_ENVIRONMENT") != "production"
    if compose.is_chosen(home, docker):
        raise typer.Exit(compose.up(home, port=port, detach=detach, fresh=fresh, demo=demo))
    try:
        if fresh:
            starting.forget_everything(home)
        options = starting.options_for(
            home,
            port,
            robots=robots,
            speed=speed,
            demo=demo,
            follows=not detach,
        )
        raise typer.Exit(starting.up(home, options, detach=detach))
    except starting.StartFailedError as failed:
        _fail(str(failed))


@app.command()
def down() -> None:
    """Stop everything, in order."""
    from ops import compose
    from ops.native import lifecycle as starting

    home = Home.chosen()
    raise typer.Exit(compose.down(home) if compose.is_running(home) else starting.down(home))


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="for scripts")] = False) -> None:
    """Show what runs, where, and the demo library's accounts."""
    from ops import compose
    from ops.native import status as asking

    home = Home.chosen()
    now = compose.status(home) if compose.is_running(home) else asking.asked(home)
    if as_json:
        print(json.dumps(now, indent=2))
    else:
        from ops import console

        console.status(now)


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="one part; all when left out")] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on as it grows")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="of each log's end")] = 50,
) -> None:
    """Show the logs, of one part or of all."""
    from ops import compose, console

    home = Home.chosen()
    if compose.is_running(home):
        raise typer.Exit(compose.logs(home, service, follow=follow, lines=lines))
    raise typer.Exit(console.logs(home, service, follow=follow, lines=lines))


@app.command()
def doctor() -> None:
    """Look at this machine and this checkout: what is there, what is missing, what is broken."""
    from ops.commands import doctor as examining

    raise typer.Exit(examining.run(Home.chosen()))


@app.command("test", context_settings=PASS_ON)
def run_tests(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="default, unit, api, e2e, chaos or all")] = "default",
) -> None:
    """Run the tests on a PostgreSQL and a Redis of their own; more words go to pytest."""
    from ops.commands import lint
    from ops.servers import temporary_servers

    words = context.args
    if suite not in temporary_servers.SUITES:
        suite, words = "default", [suite, *words]
    if suite == "default" and not words and (failed := lint.run()):
        raise typer.Exit(failed)
    raise typer.Exit(temporary_servers.run(suite, words))


@app.command("lint")
def check_style() -> None:
    """Check style, types, import contracts, the lock and generated documents."""
    from ops.commands import lint

    raise typer.Exit(lint.run())


@app.command()
def fix() -> None:
    """Mend what can be mended by itself: style, and documents that are generated."""
    from ops.commands import lint

    raise typer.Exit(lint.fix())


@app.command(context_settings=PASS_ON)
def demo(context: typer.Context) -> None:
    """Play a student's request and return through the public address (`--repeat N`)."""
    _hand_over("ops.demo.player", *context.args)


@app.command(context_settings=PASS_ON)
def check(context: typer.Context) -> None:
    """Check the invariants on the running database."""
    _hand_over("ops.commands.check", *context.args)


@app.command()
def migrate() -> None:
    """Bring the running database's schema up to date."""
    _hand_over("backend.shared.migrations.migrate")


@app.command(context_settings=PASS_ON)
def events(context: typer.Context) -> None:
    """List events not done yet and dead letters; `show ID`, `retry ID`."""
    _hand_over("ops.commands.events", *context.args)


@app.command()
def seed(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Load a library (map, accounts, catalogue) from a file."""
    _hand_over("ops.demo.seed", "--file", str(file.absolute()))


@app.command("import", context_settings=PASS_ON)
def import_catalogue(
    context: typer.Context, file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]
) -> None:
    """Import a catalogue file through the public address and show its progress."""
    _hand_over("ops.commands.import_catalogue", str(file.absolute()), *context.args)


@admin.command("create", context_settings=PASS_ON)
def create_admin(context: typer.Context) -> None:
    """Make an administrator (`--email`); the password is made, or taken from LUNA_PASSWORD."""
    _hand_over("ops.commands.create_admin", *context.args)


def _hand_over(module: str, *words: str) -> NoReturn:
    """Become another program, with the environment of the running LUNA."""
    from ops import compose
    from ops.native import status as asking
    from ops.servers import environment

    home = Home.chosen()
    if compose.is_running(home):
        if module not in INSIDE:
            _fail("This needs LUNA to run natively: ./luna down, then ./luna up --native")
        raise typer.Exit(compose.run_inside(home, module, *words))
    now = asking.of(home)
    if now["state"] == "down":
        _fail("LUNA does not run here: ./luna up first")
    own = environment.of_owner(home, now["address"])
    os.execve(sys.executable, [sys.executable, "-m", module, *words], own)  # noqa: S606 — ours


def _fail(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    raise typer.Exit(1)


def main() -> None:
    """Run the command; what is missing on this machine is said and ends with 3."""
    try:
        app(prog_name="luna")
    except MissingProgramsError as missing:
        print(missing, file=sys.stderr)
        sys.exit(EXIT_MISSING)
