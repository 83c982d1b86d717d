"""`luna demo`: run a student's request and return through the public address.

It acts for a librarian and a student over REST and the WebSocket; the simulated robots drive.
It leaves no open task, and checks the invariants at the end.
"""

import statistics
import time
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from ops.api_client import ApiClient, ApiError
from ops.commands import check
from ops.console import console
from ops.demo.demo_client import DemoError, Watcher, moment, until
from ops.home import Home
from ops.native import status

_ROOMS = ("Study Room 201", "Study Room 104", "Study Room 203", "Study Room 102")
_STEP_TIMEOUT = 60.0  # seconds
_NOTIFICATION_TIMEOUT = 5.0
_VIEWING_PAUSE = 4.0  # before a person acts, so that whoever looks at the pages can follow


@dataclass
class Round:
    """One request and one return: the steps with their seconds since its start."""

    number: int
    started: float = field(default_factory=time.time)
    steps: list[tuple[str, float]] = field(default_factory=list)
    go_seconds: list[float] = field(default_factory=list)

    def note(self, step: str, at: float | None = None) -> None:
        seconds = (at or time.time()) - self.started
        self.steps.append((step, seconds))
        console.print(f"  {seconds:7.2f} s  {step}", highlight=False)


class DemoRun:
    """A student and a librarian, their WebSockets, and the present task."""

    def __init__(
        self, address: str, accounts: list[dict[str, str]], *, watched: bool = False
    ) -> None:
        self.address = address
        self.pause = _VIEWING_PAUSE if watched else 0.0
        self.student = _sign_in(address, accounts, "STUDENT")
        self.librarian = _sign_in(address, accounts, "LIBRARIAN")
        self.mine = Watcher(address, self.student, ["me"])
        self.staff = Watcher(address, self.librarian, ["deliveries"])
        self.task = ""
        self.robot = ""

    def reach(self, stage: str) -> dict[str, Any]:
        """Wait until the task is in this stage or status; return the task."""

        def wanted(message: dict[str, Any]) -> bool:
            data = message.get("data") or {}
            same = message.get("type") == "event" and data.get("task_id") == self.task
            return bool(same and stage in {data.get("stage"), data.get("status")})

        until(self.staff, wanted, lambda: stage in _position(self.delivery()), _STEP_TIMEOUT)
        return self.delivery()

    def delivery(self) -> dict[str, Any]:
        found: dict[str, Any] = self.librarian.request("GET", f"/deliveries/{self.task}")
        return found

    def watch_robot(self, robot: str) -> None:
        """Subscribe to the events of the task's robot."""
        if self.robot and self.robot != robot:
            self.staff.unsubscribe([f"robot:{self.robot}"])
        if self.robot != robot:
            self.staff.subscribe([f"robot:{robot}"])
        self.robot = robot

    def confirm_loading(self, current: Round, step: str, account: ApiClient, path: str) -> None:
        """Confirm the loading, and measure when the bridge accepts the next command."""
        time.sleep(self.pause)
        account.request("PUT", path)
        confirmed = time.time()
        current.note(step, confirmed)
        accepted = self.staff.wait(self._is_departure, _STEP_TIMEOUT)
        if accepted is None:
            raise DemoError("the robot did not accept the command")
        at = moment(accepted["data"]["at"])  # by the bridge's clock, which is this machine's
        current.go_seconds.append(max(0.0, at - confirmed))
        current.note(f"go received by the robot ({current.go_seconds[-1] * 1000:.0f} ms later)", at)

    def show_page(self, path: str) -> None:
        """Print the address of the page that shows the present task."""
        if self.pause:
            console.print(f"             {self.address}{path}")

    def _is_departure(self, message: dict[str, Any]) -> bool:
        data = message.get("data") or {}
        return (
            message.get("event") == "robot.command.accepted"
            and data.get("task_id") == self.task
            and data.get("leg") == "TO_DESTINATION"
        )

    def close(self) -> None:
        for client in (self.mine, self.staff, self.student, self.librarian):
            client.close()


def _position(delivery: dict[str, Any]) -> set[str]:
    return {delivery["status"], delivery["stage"]}


def _sign_in(address: str, accounts: list[dict[str, str]], role: str) -> ApiClient:
    for account in accounts:
        if account["role"] == role:
            return ApiClient(address, account["email"], account["password"])
    raise DemoError("the demo library is not loaded: start LUNA without --no-demo")


def _free_book(run: DemoRun) -> dict[str, Any]:
    books = run.student.request("GET", "/books?available=true&limit=100&sort=title")
    requested = {
        row["book_id"]
        for kind in ("requests", "returns")
        for row in run.student.request("GET", f"/{kind}?limit=100")
        if row["status"] not in {"COMPLETED", "CANCELLED"}
    }
    for book in books:
        if book["id"] not in requested:
            free: dict[str, Any] = book
            return free
    raise DemoError("no book is available")


def bring(run: DemoRun, current: Round, room: str) -> dict[str, Any]:
    """Run a request until the student has the book; return the book."""
    book = _free_book(run)
    console.print(f"\n[bold]“{book['title']}” to {room}[/bold]")
    made = run.student.request(
        "POST", "/requests", json={"book_id": book["id"], "request_location": room}
    )
    current.note("request made")
    run.show_page(f"/requests/{made['id']}")
    run.task = made["task"]["id"]
    delivery = run.reach("TO_SOURCE")
    current.note(f"robot assigned: {delivery['robot_name']}")
    run.watch_robot(delivery["assigned_robot_id"])
    delivery = run.reach("LOADING")
    current.note(f"robot at the desk: {delivery['source_location']}")
    path = f"/deliveries/{run.task}/book-placed"
    run.confirm_loading(current, "book placed", run.librarian, path)
    run.reach("HANDOVER")
    current.note(f"robot arrived: {room}")
    time.sleep(run.pause)
    run.student.request("PUT", f"/requests/{made['id']}/complete")
    current.note("book handed over: the loan begins")
    return book


def fetch(run: DemoRun, current: Round, book: dict[str, Any], room: str) -> None:
    """Run a return until the book is on its shelf."""
    console.print(f"\n[bold]“{book['title']}” returns[/bold]")
    made = run.student.request(
        "POST", "/returns", json={"book_id": book["id"], "pickup_location": room}
    )
    current.note("return made")
    run.show_page(f"/returns/{made['id']}")
    run.task = made["task"]["id"]
    delivery = run.reach("TO_SOURCE")
    current.note(f"robot assigned: {delivery['robot_name']}")
    run.watch_robot(delivery["assigned_robot_id"])
    run.reach("LOADING")
    current.note(f"robot at {room}")
    run.confirm_loading(
        current, "book put on the robot", run.student, f"/returns/{made['id']}/picked-up"
    )
    run.reach("HANDOVER")
    current.note(f"robot arrived: {delivery['destination_location']}")
    time.sleep(run.pause)
    run.librarian.request("PUT", f"/deliveries/{run.task}/complete")
    current.note("book received: it is on its shelf again")


def _is_of_return(message: dict[str, Any]) -> bool:
    data = message.get("data") or {}
    return data.get("notification_type") == "RETURN_COMPLETED"


def _show_notifications(run: DemoRun) -> None:
    console.print("\n[bold]Notifications of the student on the WebSocket[/bold]")
    run.mine.wait(_is_of_return, _NOTIFICATION_TIMEOUT)
    notifications = run.mine.events("notification.created")
    for message in notifications:
        console.print(f"  {message['data']['title']}", highlight=False)
    if not notifications:
        raise DemoError("the student received no notification on the live view")


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
        f"book placed confirmed → bridge has the command: "
        f"median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms, "
        f"{len(times)} times",
        highlight=False,
    )


def _end_open(run: DemoRun) -> None:
    """Cancel the present task after a failed step."""
    if not run.task or _position(run.delivery()) & {"COMPLETED", "CANCELLED"}:
        return
    here = {"reason": "the demo failed", "book_location": "Circulation Desk"}
    if run.delivery()["status"] != "FAILED":
        run.librarian.request("PUT", f"/deliveries/{run.task}/fail", json=here)
    run.librarian.request("PUT", f"/deliveries/{run.task}/cancel", json=here)


def _show_addresses(address: str, accounts: list[dict[str, str]]) -> None:
    console.print("[bold]Look at it here[/bold], each in a browser window of its own")
    for path, role in (("/", "STUDENT"), ("/staff/map", "LIBRARIAN")):
        person = next(each for each in accounts if each["role"] == role)
        account = f"{person['email']}  {person['password']}"
        console.print(f"  {address + path:<36} {account}", highlight=False)


def play(repeat: int, *, watched: bool = False) -> int:
    """Run so many rounds; return 0 when the invariants hold."""
    now = status.probed(Home.chosen())
    if now["state"] == "down":
        raise DemoError("LUNA is not running here: run ./luna up first")
    if watched:
        _show_addresses(now["address"], now["accounts"])
    run = DemoRun(now["address"], now["accounts"], watched=watched)
    rounds = []
    try:
        for number in range(1, repeat + 1):
            this = Round(number)
            rounds.append(this)
            run.mine.clear()
            run.staff.clear()
            room = _ROOMS[(number - 1) % len(_ROOMS)]
            fetch(run, this, bring(run, this, room), room)
            _show_notifications(run)
    except (DemoError, ApiError, httpx.HTTPError):
        _end_open(run)
        raise
    finally:
        run.close()
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
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="print what to open, and act slowly enough to follow")
    ] = False,
) -> None:
    try:
        raise typer.Exit(play(repeat, watched=watch))
    except (DemoError, ApiError, httpx.HTTPError) as failed:
        console.print(f"[red]The demo stopped: {failed}[/red]")
        raise typer.Exit(1) from failed


if __name__ == "__main__":
    typer.run(main)
