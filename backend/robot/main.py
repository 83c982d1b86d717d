"""The robot service: the fleet, its map, its commands and its emergency stop.

INPUT   staff: status, map, emergency stop; admins: robots and keys; bridges: heartbeats, reports
OUTPUT  commands to bridges, the emergency stop; events robot.*
FLOW    endpoints → service (staff's side) and bridge_protocol (robots' side, asynchronous)
        → outbox → tasks (dispatch, leases, connectivity)
"""

from backend.robot.bridge_protocol.lifespan import lifespan
from backend.robot.endpoints import ROUTERS
from backend.shared.web.app import create_app

app = create_app(
    "robot-service",
    *ROUTERS,
    summary="Robots, their map, their commands and their emergency stop",
    lifespan=lifespan,
)
