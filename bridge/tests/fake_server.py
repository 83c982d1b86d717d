"""A fake server of the bridge protocol over real HTTP, with faults on demand."""

import asyncio
import json
import math
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "luna_rb_test_secret"
LEASE = 15.0  # seconds until a command whose delivery was lost is delivered again
Json = dict[str, Any]


def success(data: Any) -> Response:
    return JSONResponse({"success": True, "data": data, "meta": {}})


def failure(status: int, code: str) -> Response:
    error = {"code": code, "message": f"No: {code}.", "details": {}}
    return JSONResponse({"success": False, "error": error, "meta": {}}, status)


def waypoint(name: str, x: float, y: float = 0.0, floor: int = 1) -> Json:
    return {"id": f"id-{name}", "name": name, "x": x, "y": y, "theta": 0.0, "floor": floor}


def navigation(*points: Json, **more: Any) -> Json:
    """The payload of a NAVIGATE along these waypoints."""
    return {"waypoint": points[-1], "route": list(points), "task": None, **more}


@dataclass
class IssuedCommand:
    id: str
    body: Json
    events: list[Json] = field(default_factory=list)  # accepted events, in order
    attempts: list[Json] = field(default_factory=list)  # every request, repeated ones too
    delivered_at: float = math.inf  # on the monotonic clock

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def milestones(self) -> list[str]:
        return [kind for kind in self.types if kind != "PROGRESS"]


class FakeServer:
    def __init__(self) -> None:
        self.port = 0
        self.epoch = 0
        self.token = 0
        self.sessions: list[Json] = []
        self.heartbeats: list[Json] = []
        self.commands: dict[str, IssuedCommand] = {}
        self.waiting: list[Json] = []
        self.stop: Json = {"stop_version": 0, "stopped": False, "reason": None}
        self.stop_events: list[Json] = []
        self.enrolments: list[Json] = []
        self.key = KEY
        self.muted: set[str] = set()  # paths that get no response while listed
        self.broken: set[str] = set()  # paths that get a 502, as from the gateway
        self.malformed: set[str] = set()  # paths whose response holds no data
        self.lost: set[str] = set()  # paths whose requests never get a response
        self.unanswered = 0
        self.lose_answers = 0  # number of events that are recorded, but answered with a 502
        self.closing = False
        self._changed = asyncio.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def changed(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until the condition holds; it is checked after each change."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    async def issue(self, kind: str, payload: Json | None = None, **more: Any) -> IssuedCommand:
        self.token += 1
        body = {
            "id": str(uuid.uuid4()),
            "seq": self.token,
            "type": kind,
            "payload": payload or {},
            "task_id": None,
            "lease_token": self.token,
            "leased_until": None,
            "deadline": None,
            "attempt": 1,
            **more,
        }
        command = IssuedCommand(body["id"], body)
        self.commands[command.id] = command
        self.waiting.append(body)
        await self.changed()
        return command

    async def issue_again(self, command: IssuedCommand) -> None:
        self.token += 1
        command.body = {**command.body, "lease_token": self.token, "attempt": 2}
        self.waiting.append(command.body)
        await self.changed()

    async def _queue_undelivered(self) -> None:
        """Issue again what no bridge reports: a poll may end while its response is on the way."""
        for command in list(self.commands.values()):
            if not command.attempts and time.monotonic() - command.delivered_at > LEASE:
                command.delivered_at = math.inf
                await self.issue_again(command)

    async def revoke(self, command: IssuedCommand) -> None:
        self.token += 1
        command.body = {**command.body, "lease_token": self.token}

    async def order_stop(self, *, stopped: bool) -> None:
        version = self.stop["stop_version"] + 1
        self.stop = {"stop_version": version, "stopped": stopped, "reason": "test"}
        await self.changed()

    async def session(self, request: Request) -> Response:
        body = await request.json()
        if not self.sessions or self.sessions[-1]["boot_id"] != body["boot_id"]:
            self.sessions.append(body)
            self.epoch += 1
        await self.changed()
        return success(
            {
                "robot_id": "robot-1",
                "epoch": self.epoch,
                "heartbeat_interval": 1,
                "offline_after": 15,
                "server_time": datetime.now(UTC).isoformat(),
                "map_version": 1,
            }
        )

    async def heartbeat(self, request: Request) -> Response:
        body = await request.json()
        if body["epoch"] != self.epoch:
            return failure(409, "STALE_EPOCH")
        self.heartbeats.append(body)
        await self.changed()
        return success(
            {
                "stop_version": self.stop["stop_version"],
                "desired": "STOP" if self.stop["stopped"] else "RUN",
                "commands_waiting": len(self.waiting),
                "poll_after_ms": 0,
            }
        )

    async def next_command(self, request: Request) -> Response:
        epoch = int(request.query_params["epoch"])
        await self._queue_undelivered()
        await self._wait_for(lambda: bool(self.waiting) or epoch != self.epoch, request)
        if epoch != self.epoch:
            return failure(409, "STALE_EPOCH")
        command = self.waiting.pop(0) if self.waiting else None
        if command is not None:
            self.commands[command["id"]].delivered_at = time.monotonic()
        await self.changed()
        return success(command)

    async def event(self, request: Request) -> Response:
        command = self.commands[request.path_params["id"]]
        body = await request.json()
        command.attempts.append(body)
        await self.changed()
        if body["lease_token"] != command.body["lease_token"]:
            return failure(409, "LEASE_LOST")
        content = {name: value for name, value in body.items() if name != "lease_token"}
        known = next((e for e in command.events if e["event_seq"] == body["event_seq"]), None)
        if known is None:
            command.events.append(content)
        elif known != content:
            return failure(409, "CONFLICT")
        await self.changed()
        if self.lose_answers:
            self.lose_answers -= 1
            return failure(502, "BAD_GATEWAY")
        return success({"command_id": command.id, "status": "STARTED"})

    async def next_stop(self, request: Request) -> Response:
        after = int(request.query_params["after"])
        await self._wait_for(lambda: self.stop["stop_version"] > after, request)
        return success(self.stop if self.stop["stop_version"] > after else None)

    async def stop_event(self, request: Request) -> Response:
        self.stop_events.append(await request.json())
        await self.changed()
        return success({"stop_version": self.stop["stop_version"]})

    async def enroll(self, request: Request) -> Response:
        body = await request.json()
        self.enrolments.append(body)
        if body["code"] != "GOOD":
            return failure(401, "INVALID_CREDENTIALS")
        return success({"robot_id": "robot-1", "robot_name": "Ada", "key": KEY})

    async def _wait_for(self, condition: Callable[[], bool], request: Request) -> None:
        """Wait at most as long as the long poll asks."""
        try:
            await self.until(
                lambda: condition() or self.closing, float(request.query_params["wait"])
            )
        except TimeoutError:
            return

    def guarded(
        self, endpoint: Callable[[Request], Any], *, open_to_all: bool = False
    ) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            end = request.url.path.rsplit("/bridge/", 1)[1]
            if any(word in end for word in self.broken):
                return Response("<html>Bad Gateway</html>", 502)
            if any(word in end for word in self.malformed):
                return success(None)
            if any(word in end for word in self.lost):
                self.unanswered += 1
                await self.changed()
                await self.until(lambda: self.closing, 60)
            if any(word in end for word in self.muted):
                async with self._changed:
                    await self._changed.wait_for(
                        lambda: not any(word in end for word in self.muted)
                    )
            if not open_to_all and request.headers.get("Authorization") != f"Bearer {self.key}":
                return failure(401, "UNAUTHENTICATED")
            answered: Response = await endpoint(request)
            return answered

        return answer

    def app(self) -> Starlette:
        base = "/api/v1/robot/bridge"
        post, get = ["POST"], ["GET"]
        return Starlette(
            routes=[
                Route(f"{base}/enroll", self.guarded(self.enroll, open_to_all=True), methods=post),
                Route(f"{base}/session", self.guarded(self.session), methods=post),
                Route(f"{base}/heartbeat", self.guarded(self.heartbeat), methods=post),
                Route(f"{base}/commands/next", self.guarded(self.next_command), methods=get),
                Route(f"{base}/commands/{{id}}/events", self.guarded(self.event), methods=post),
                Route(f"{base}/stop", self.guarded(self.next_stop), methods=get),
                Route(f"{base}/stop/events", self.guarded(self.stop_event), methods=post),
            ]
        )


@asynccontextmanager
async def serving() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    # IPPROTO_TCP makes asyncio set TCP_NODELAY; without it each response takes 40 ms
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        fake.port = listener.getsockname()[1]
        config = uvicorn.Config(
            fake.app(), log_level="critical", lifespan="off", timeout_graceful_shutdown=1
        )
        config.load()
        http = uvicorn.Server(config)
        http.lifespan = config.lifespan_class(config)
        await http.startup(sockets=[listener])  # serve() would check for its end every 0.1 s only
        try:
            yield fake
        finally:
            fake.closing = True
            fake.muted.clear()
            await fake.changed()
            await asyncio.gather(*http.server_state.tasks, return_exceptions=True)
            for listening in http.servers:
                listening.close()
            for connection in list(http.server_state.connections):
                connection.shutdown()


def log_lines(output: str) -> list[Json]:
    return [json.loads(line) for line in output.splitlines()]
