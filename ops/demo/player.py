"""`luna demo`: a student's request and return through the public address, step by step.

It plays a librarian and a student over REST and the WebSocket; the robots drive by themselves.
Nothing is left open. Ends with the invariants checked.
"""

import statistics
import time
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from ops.commands import check
from ops.console import console
from ops.demo.demo_client import DemoError, Person, Watcher, moment, until
from ops.home import Home
from ops.native import status

_ROOMS = ("Study Room 201", "Study Room 104", "Study Room 203", "Study Room 102")
_STEP_WITHIN = 60.0  # seconds
_LAST_WORD_WITHIN = 5.0


@dataclass
class Round:
    """One request and one return: each step with its seconds since the beginning."""

    number: int
    began: float = field(default_factory=time.time)
    steps: list[tuple[str, float]] = field(default_factory=list)
    go_seconds: list[float] = field(default_factory=list)

    def note(self, step: str, at: float | None = None) -> None:
        moment_of = (at or time.time()) - self.began
        self.steps.append((step, moment_of))
        console.print(f"  {moment_of:7.2f} s  {step}", highlight=False)


class DemoRun:
    """The stage: two people, two sockets, one journey at a time."""

    def __init__(self, address: str, accounts: list[dict[str, str]]) -> None:
        self.student = _sign_in(address, accounts, "STUDENT")
        self.librarian = _sign_in(address, accounts, "LIBRARIAN")
        self.mine = Watcher(address, self.student, ["me"])
        self.staff = Watcher(address, self.librarian, ["deliveries"])
        self.task = ""
        self.robot = ""

    def reach(self, stage: str) -> dict[str, Any]:
        """Wait until the journey is in this stage (or status); the journey as it is then."""

        def wanted(message: dict[str, Any]) -> bool:
            data = message.get("data") or {}
            same = message.get("type") == "event" and data.get("task_id") == self.task
            return bool(same and stage in {data.get("stage"), data.get("status")})

        until(self.staff, wanted, lambda: stage in _where(self.delivery()), _STEP_WITHIN)
        return self.delivery()

    def delivery(self) -> dict[str, Any]:
        found: dict[str, Any] = self.librarian.ask("GET", f"/deliveries/{self.task}")
        return found

    def watch_robot(self, robot: str) -> None:
        """See what the robot of this journey is told and takes up."""
        if self.robot and self.robot != robot:
            self.staff.unsubscribe([f"robot:{self.robot}"])
        if self.robot != robot:
            self.staff.subscribe([f"robot:{robot}"])
        self.robot = robot

    def send_off(self, now: Round, what: str, who: Person, path: str) -> None:
        """Confirm the loading, and see when the bridge has taken up the command to go."""
        who.ask("PUT", path)
        answered = time.time()
        now.note(what, answered)
        taken = self.staff.wait(self._is_departure, _STEP_WITHIN)
        if taken is None:
            raise DemoError("the robot never took up the command to go")
        at = moment(taken["data"]["at"])  # by the bridge's clock, which is this machine's
        now.go_seconds.append(max(0.0, at - answered))
        now.note(f"go received by the robot ({now.go_seconds[-1] * 1000:.0f} ms later)", at)

    def _is_departure(self, message: dict[str, Any]) -> bool:
        data = message.get("data") or {}
        return (
            message.get("event") == "robot.command.accepted"
            and data.get("task_id") == self.task
            and data.get("leg") == "TO_DESTINATION"
        )

    def close(self) -> None:
        for open_thing in (self.mine, self.staff, self.student, self.librarian):
            open_thing.close()


def _where(delivery: dict[str, Any]) -> set[str]:
    return {delivery["status"], delivery["stage"]}


def _sign_in(address: str, accounts: list[dict[str, str]], role: str) -> Person:
    for account in accounts:
        if account["role"] == role:
            return Person(address, account["email"], account["password"])
    raise DemoError("the demo library's accounts are not here: start LUNA without --no-demo")


def _free_book(play: DemoRun) -> dict[str, Any]:
    books = play.student.ask("GET", "/books?available=true&limit=100&sort=title")
    asked = {
        row["book_id"]
        for kind in ("requests", "returns")
        for row in play.student.ask("GET", f"/{kind}?limit=100")
        if row["status"] not in {"COMPLETED", "CANCELLED"}
    }
    for book in books:
        if book["id"] not in asked:
            free: dict[str, Any] = book
            return free
    raise DemoError("no book of the library is available")


def bring(play: DemoRun, now: Round, room: str) -> dict[str, Any]:
    """A student asks for a book and gets it; the book."""
    book = _free_book(play)
    console.print(f"\n[bold]“{book['title']}” to {room}[/bold]")
    made = play.student.ask(
        "POST", "/requests", json={"book_id": book["id"], "request_location": room}
    )
    now.note("request made")
    play.task = made["task"]["id"]
    delivery = play.reach("TO_SOURCE")
    now.note(f"robot assigned: {delivery['robot_name']}")
    play.watch_robot(delivery["assigned_robot_id"])
    delivery = play.reach("LOADING")
    now.note(f"robot at the desk: {delivery['source_location']}")
    play.send_off(now, "book placed", play.librarian, f"/deliveries/{play.task}/book-placed")
    play.reach("HANDOVER")
    now.note(f"robot arrived: {room}")
    play.student.ask("PUT", f"/requests/{made['id']}/complete")
    now.note("book handed over: the loan begins")
    return book


def fetch(play: DemoRun, now: Round, book: dict[str, Any], room: str) -> None:
    """The robot fetches the book back."""
    console.print(f"\n[bold]“{book['title']}” goes back[/bold]")
    made = play.student.ask(
        "POST", "/returns", json={"book_id": book["id"], "pickup_location": room}
    )
    now.note("return asked for")
    play.task = made["task"]["id"]
    delivery = play.reach("TO_SOURCE")
    now.note(f"robot assigned: {delivery['robot_name']}")
    play.watch_robot(delivery["assigned_robot_id"])
    play.reach("LOADING")
    now.note(f"robot at {room}")
    play.send_off(now, "book put on the robot", play.student, f"/returns/{made['id']}/picked-up")
    play.reach("HANDOVER")
    now.note(f"robot arrived: {delivery['destination_location']}")
    play.librarian.ask("PUT", f"/deliveries/{play.task}/complete")
    now.note("book received: it is on its shelf again")


def _is_of_return(message: dict[str, Any]) -> bool:
    data = message.get("data") or {}
    return data.get("notification_type") == "RETURN_COMPLETED"


def _show_notifications(play: DemoRun) -> None:
    console.print("\n[bold]What the student got live on the WebSocket[/bold]")
    play.mine.wait(_is_of_return, _LAST_WORD_WITHIN)
    told = play.mine.events("notification.created")
    for message in told:
        console.print(f"  {message['data']['title']}", highlight=False)
    if not told:
        raise DemoError("the student was told nothing on the live view")


def _show_medians(rounds: list[Round]) -> None:
    table = Table("step", "median seconds since the request", title=f"{len(rounds)} rounds")
    for position, (step, _) in enumerate(rounds[0].steps):
        name = step.split(":")[0].split(" (")[0]
        median = statistics.median(each.steps[position][1] for each in rounds)
        table.add_row(name, f"{median:.2f}")
    console.print(table)


def _show_go(rounds: list[Round]) -> None:
    times = [seconds * 1000 for each in rounds for seconds in each.go_seconds]
    console.print(
        f"book placed answered → the bridge holds the command to go: "
        f"median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms, "
        f"{len(times)} times",
        highlight=False,
    )


def _end_open(play: DemoRun) -> None:
    """Leave nothing open after a step that failed."""
    if not play.task or _where(play.delivery()) & {"COMPLETED", "CANCELLED"}:
        return
    here = {"reason": "the demo was broken off", "book_location": "Circulation Desk"}
    if play.delivery()["status"] != "FAILED":
        play.librarian.ask("PUT", f"/deliveries/{play.task}/fail", json=here)
    play.librarian.ask("PUT", f"/deliveries/{play.task}/cancel", json=here)


def run(repeat: int) -> int:
    """Play so many rounds; 0 when all went well and the invariants hold."""
    now = status.asked(Home.chosen())
    if now["state"] == "down":
        raise DemoError("LUNA does not run here: ./luna up first")
    play = DemoRun(now["address"], now["accounts"])
    rounds = []
    try:
        for number in range(1, repeat + 1):
            this = Round(number)
            rounds.append(this)
            play.mine.forget()
            play.staff.forget()
            room = _ROOMS[(number - 1) % len(_ROOMS)]
            fetch(play, this, bring(play, this, room), room)
            _show_notifications(play)
    except (DemoError, httpx.HTTPError):
        _end_open(play)
        raise
    finally:
        play.close()
    console.print()
    if repeat > 1:
        _show_medians(rounds)
    _show_go(rounds)
    console.print("\n[bold]Invariants[/bold]")
    failed = check.run()
    console.print("invariants: " + ("broken" if failed else "ok"))
    return failed


def main(
    repeat: Annotated[int, typer.Option(min=1, max=1000, help="how many rounds")] = 1,
) -> None:
    try:
        raise typer.Exit(run(repeat))
    except (DemoError, httpx.HTTPError) as failed:
        console.print(f"[red]The demo stopped: {failed}[/red]")
        raise typer.Exit(1) from failed


if __name__ == "__main__":
    typer.run(main)
