"""A robot of a story: the simulator of `bridge`, and its bridge one call at a time."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.drivers.simulator import Place, Simulator
from bridge.messages import waypoint_from
from bridge.motion.route import planned_route
from tests.factories.catalogue import Bridge

SPEED = 10_000.0  # a drive through the building takes milliseconds


@dataclass
class SimulatedRobot(Bridge):
    """Drives, docks and reports what the simulator's sensors say."""

    state_file: Path = Path()

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        start = Place(waypoint=self.at, battery=0.9)
        self.simulator = Simulator(start, SPEED, self.state_file)

    def heartbeat(self, **changes: Any) -> Any:
        """Send what the sensors say, with these changes."""
        state = self.simulator.state()
        sensed = {
            "pose": state.pose.as_json(),
            "waypoint": state.waypoint,
            "battery": state.battery,
            "charging": state.charging,
            "docked": state.docked,
        }
        return super().heartbeat(**{**sensed, **changes})

    def drive(self, command: dict[str, Any]) -> None:
        """Let the simulator carry out a command to move, and report its end from where it is."""
        for kind in ("ACCEPTED", "STARTED"):
            assert self.report(command, kind).status_code == 200
        self._loop.run_until_complete(self._motion(command))
        pose = self.simulator.state().pose.as_json()
        for kind in ("ARRIVED", "SUCCEEDED"):
            assert self.report(command, kind, pose=pose).status_code == 200

    def _motion(self, command: dict[str, Any]) -> Coroutine[Any, Any, None]:
        if command["type"] == "UNDOCK":
            return self.simulator.undock()
        payload = command["payload"]
        if command["type"] == "DOCK":
            return self.simulator.dock(waypoint_from(payload["waypoint"]))
        return self.simulator.navigate(planned_route(payload, self.simulator.state().pose))

    def close(self) -> None:
        self._loop.close()
