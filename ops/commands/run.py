"""Commands that start, stop and show the system: up, down, status, logs, doctor, demo."""

import json
from typing import Annotated

import typer

from ops import compose
from ops.commands.delegation import PASS_ON, delegate, fail
from ops.home import Home
from ops.native import lifecycle, rolling_restart
from ops.native import status as native_status
from ops.servers import environment

app = typer.Typer()
TLS_PORT = 8443


@app.command()
def up(  # noqa: PLR0913 — one parameter for each option
    *,
    port: Annotated[int, typer.Option(help="the next free port if it is taken")] = 8080,
    tls: Annotated[bool, typer.Option("--tls", help="also TLS and HTTP/2 (gRPC), at 8443")] = False,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="return when ready")] = False,
    docker: Annotated[
        bool | None, typer.Option("--docker/--native", help="default: Docker if it is running")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="delete all data first")] = False,
    no_web: Annotated[bool, typer.Option("--no-web", help="do not build the web pages")] = False,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="no demo library, no robots")] = False,
    robots: Annotated[int, typer.Option(min=0, max=200, help="simulated robots")] = 2,
    speed: Annotated[float, typer.Option(min=0.1, help="speed factor of the robots")] = 10.0,
) -> None:
    """Start the whole system: PostgreSQL, Redis, five services, worker, Nginx, robots."""
    home = Home.chosen()
    demo = not no_demo and environment.with_dotenv().get("LUNA_ENVIRONMENT") != "production"
    if compose.is_chosen(home, docker):
        raise typer.Exit(compose.up(home, port=port, detach=detach, fresh=fresh, demo=demo))
    try:
        if fresh:
            lifecycle.delete_data(home)
        options = lifecycle.options_for(
            home,
            port,
            robots=robots,
            speed=speed,
            demo=demo,
            web=not no_web,
            follows=not detach,
            tls_port=TLS_PORT if tls else 0,
        )
        raise typer.Exit(lifecycle.up(home, options, detach=detach))
    except lifecycle.StartFailedError as failed:
        fail(str(failed))


@app.command()
def down() -> None:
    """Stop everything, in order."""
    home = Home.chosen()
    raise typer.Exit(compose.down(home) if compose.is_running(home) else lifecycle.down(home))


@app.command()
def restart(
    service: Annotated[
        str | None, typer.Argument(help="one service; default: all services and the worker")
    ] = None,
) -> None:
    """Restart one instance after another, while requests continue."""
    home = Home.chosen()
    if compose.is_running(home):
        raise typer.Exit(compose.restart(home, service))
    try:
        names = rolling_restart.names_for(home, service)
    except ValueError as unknown:
        fail(str(unknown))
    raise typer.Exit(rolling_restart.restart(home, names, print))


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="for scripts")] = False) -> None:
    """Show the components, the address, and the accounts of the demo library."""
    home = Home.chosen()
    now = compose.status(home) if compose.is_running(home) else native_status.probed(home)
    if as_json:
        print(json.dumps(now, indent=2))
    else:
        from ops import console

        console.status(now)


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="one component; default: all")] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="print new lines")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="last lines of each log")] = 50,
) -> None:
    """Show the logs of one component or of all."""
    from ops import console

    home = Home.chosen()
    if compose.is_running(home):
        raise typer.Exit(compose.logs(home, service, follow=follow, lines=lines))
    raise typer.Exit(console.logs(home, service, follow=follow, lines=lines))


@app.command()
def doctor() -> None:
    """Check this machine and this checkout, and say what is missing or broken."""
    from ops.commands import doctor as checkup

    raise typer.Exit(checkup.run(Home.chosen()))


@app.command(context_settings=PASS_ON)
def demo(context: typer.Context) -> None:
    """Run a student's request and return through the public address (`--repeat N`, `--watch`)."""
    delegate("ops.demo.player", *context.args)
