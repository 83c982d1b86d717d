"""`luna check`: print the invariants of the running system, one line each."""

from backend.shared.domain import invariants
from backend.shared.infra import database
from ops.console import console


def run() -> int:
    """Check the invariants; print violating rows and return 1 when one is broken."""
    with database.reading_engine().connect() as connection:
        broken = invariants.find_violations(connection)
    for sentence in invariants.INVARIANTS:
        mark = "[red]broken[/red]" if sentence in broken else "[green]ok[/green]"
        console.print(f"{mark}  {sentence}")
        for row in broken.get(sentence, []):
            console.print(f"        {row}", markup=False)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(run())
