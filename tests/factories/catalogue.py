"""Catalogue, map and robots for tests.

The map: a dock, a workstation, a return station and three study rooms, ten metres apart in a row.
"""

import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select

from backend.robot.service.waypoints import raise_map_version
from backend.shared.infra import database, ids
from backend.shared.models import Book, Copy, Robot, RobotKey, Waypoint, WaypointEdge, WaypointKind
from backend.shared.web.security import api_keys, robot_keys

WAYPOINTS = [
    ("Dock 1", "DK-1", "DOCK"),
    ("Circulation Desk", "WS-1", "WORKSTATION"),
    ("Return Station", "RS-1", "RETURN_STATION"),
    ("Study Room 201", "SR-201", "DELIVERY_POINT"),
    ("Study Room 202", "SR-202", "DELIVERY_POINT"),
    ("Study Room 203", "SR-203", "DELIVERY_POINT"),
]
WAYPOINT_DISTANCE = 10.0  # metres


def make_map() -> None:
    """Store the corridor map, unless there is one."""
    places = [
        Waypoint(
            id=ids.uuid7(),
            name=name,
            location_code=code,
            kind=WaypointKind(kind),
            floor=1,
            x_coordinate=WAYPOINT_DISTANCE * n,
            y_coordinate=0.0,
        )
        for n, (name, code, kind) in enumerate(WAYPOINTS)
    ]
    edges = [
        WaypointEdge(from_id=start.id, to_id=end.id, distance=WAYPOINT_DISTANCE)
        for start, end in pairwise(places)
    ]
    with database.transaction() as session:
        if session.execute(select(Waypoint.id).limit(1)).first() is not None:
            return
        session.add_all(places)
        session.flush()
        session.add_all(edges)
        raise_map_version(session)


def add_book(title: str = "The Left Hand of Darkness", copies: int = 1) -> UUID:
    """Create a title with this many copies on the shelf and return its id."""
    with database.transaction() as session:
        book = Book(title=title, author="Ursula K. Le Guin", shelf_location="A-1")
        session.add(book)
        session.flush()
        for number in range(copies):
            session.add(Copy(book_id=book.id, barcode=f"{book.id.hex[-8:]}-{number}".upper()))
        return book.id


@dataclass
class Bridge:
    """The robot's side of the bridge protocol, one call at a time."""

    api: Any
    id: UUID
    key: str
    epoch: int = 0
    seq: int = 0
    stop_version: int = 0
    at: str | None = "Dock 1"
    reports: dict[str, int] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def call(self, method: str, path: str, **options: Any) -> Any:
        return self.api.request(
            method, f"/api/v1/robot/bridge{path}", headers=self.headers, **options
        )

    def open_session(self) -> "Bridge":
        """Open a session and send the first heartbeat."""
        opened = self.call("POST", "/session", json={"boot_id": str(uuid.uuid4())})
        assert opened.status_code == 200, opened.text
        self.epoch = opened.json()["data"]["epoch"]
        self.heartbeat()
        return self

    def heartbeat(self, **changes: Any) -> Any:
        """Send one heartbeat and return the response."""
        self.seq += 1
        x = next(
            (WAYPOINT_DISTANCE * n for n, place in enumerate(WAYPOINTS) if place[0] == self.at), 0.0
        )
        body = {
            "epoch": self.epoch,
            "seq": self.seq,
            "pose": {"x": x, "y": 0.0, "theta": 0.0, "floor": 1},
            "waypoint": self.at,
            "battery": 0.9,
            "stop_version": self.stop_version,
            **changes,
        }
        answered = self.call("POST", "/heartbeat", json=body)
        if answered.status_code == HTTPStatus.OK:
            self.stop_version = answered.json()["data"]["stop_version"]
        return answered

    def next_command(self, wait: float = 0) -> Any:
        """Return the next command, or None."""
        found = self.call("GET", f"/commands/next?epoch={self.epoch}&wait={wait}")
        assert found.status_code == 200, found.text
        return found.json()["data"]

    def report(self, command: dict[str, Any], kind: str, **more: Any) -> Any:
        """Report on a command under the next sequence number; an arrival is at its target."""
        if kind in {"ARRIVED", "SUCCEEDED"} and "waypoint" in command["payload"]:
            target = command["payload"]["waypoint"]
            more.setdefault("pose", {name: target[name] for name in ("x", "y", "floor")})
        number = self.reports[command["id"]] = self.reports.get(command["id"], 0) + 1
        body = {"lease_token": command["lease_token"], "event_seq": number, "type": kind, **more}
        return self.call("POST", f"/commands/{command['id']}/events", json=body)

    def drive(self, command: dict[str, Any]) -> None:
        """Carry out a NAVIGATE command: accepted, started, arrived, succeeded."""
        for kind in ("ACCEPTED", "STARTED", "ARRIVED", "SUCCEEDED"):
            answered = self.report(command, kind)
            assert answered.status_code == 200, answered.text
        self.at = command["payload"]["waypoint"]["name"]


def add_robot(api: Any, name: str = "luna-bot-1", at: str = "Dock 1") -> Bridge:
    """Add a robot with a key and open its bridge session."""
    key, prefix, key_hash = api_keys.new_robot_key()
    robot = Robot(id=ids.uuid7(), robot_name=name, model="TurtleBot 4")
    with database.transaction() as session:
        session.add(robot)
        session.flush()
        session.add(RobotKey(robot_id=robot.id, prefix=prefix, key_hash=key_hash))
    robot_keys.clear()  # an unknown key is looked up at most five times a second
    return Bridge(api, robot.id, key, at=at).open_session()
