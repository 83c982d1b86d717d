"""Commands for work on the code: test, bench, lint, fix."""

import os
from contextlib import suppress
from typing import Annotated

import typer

from ops.commands import suites
from ops.commands.delegation import PASS_ON
from ops.web import suites as web_suites

app = typer.Typer()
WEB_SUITES = ("web", "browser")


@app.command("test", context_settings=PASS_ON)
def run_tests(
    context: typer.Context,
    suite: Annotated[
        str, typer.Argument(help="or unit, api, e2e, chaos, sabotage, web, browser, all")
    ] = "default",
    *,
    cov: Annotated[bool, typer.Option("--cov", help="measure and check branch coverage")] = False,
) -> None:
    """Run the tests on temporary servers; further arguments go to pytest."""
    if suite == "sabotage":
        from ops.commands import sabotage

        raise typer.Exit(sabotage.run())
    arguments = context.args
    if suite in WEB_SUITES:
        raise typer.Exit(web_suites.run(suite, arguments))
    if suite not in suites.SUITES:
        suite, arguments = "default", [suite, *arguments]
    if suite == "default" and not arguments:
        raise typer.Exit(_run_beside_checks(coverage=cov))
    raise typer.Exit(suites.run(suite, arguments, coverage=cov))


def _run_beside_checks(*, coverage: bool) -> int:
    """Run the tests, some of which are checks, beside the other checks; a failed one ends them."""
    from ops.commands import lint as checks

    code = 1
    suites.exit_by_sigterm()
    child = checks.start_beside()
    with suppress(SystemExit):
        code = suites.run("default", [], coverage=coverage)
    _, status = os.waitpid(child, 0)
    return code or os.waitstatus_to_exitcode(status)


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="benchmarks; default: all")] = None,
    *,
    short: Annotated[
        bool, typer.Option("--short", help="seconds each; fails below half of a bar")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="write the results to docs/benchmarks.md")
    ] = False,
) -> None:
    """Run benchmarks, each on a LUNA of its own with its comparison in the same run."""
    from ops import bench as benchmarks
    from ops.bench import runner

    known = benchmarks.names()
    names = [name.replace("-", "_") for name in names or ()]
    if unknown := sorted(set(names) - set(known)):
        raise typer.BadParameter(f"no benchmark {unknown[0]}; there are: {', '.join(known)}")
    usual = [name for name in known if name not in benchmarks.ON_DEMAND]
    raise typer.Exit(0 if runner.run(names or usual, short=short, record=record) else 1)


@app.command()
def generate() -> None:
    """Generate the code of the RPC contract from its .proto files."""
    from ops.rpc import contract

    contract.generate()


@app.command()
def lint() -> None:
    """Check style, types, import contracts, the lock file and the generated documents."""
    from ops.commands import lint as checks

    raise typer.Exit(checks.run())


@app.command()
def fix() -> None:
    """Fix style, regenerate the documents, and run the checks of `lint`."""
    from ops.commands import lint as checks

    raise typer.Exit(checks.fix())
