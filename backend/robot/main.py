"""The robot service: robots, their map, their commands and their emergency stop.

INPUT   staff: status, map, emergency stop; admins: robots and keys; bridges: heartbeats, reports
OUTPUT  commands and emergency stops for bridges; events robot.*
FLOW    endpoints → service (requests of staff) and bridge_protocol (requests of bridges)
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
