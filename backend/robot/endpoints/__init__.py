"""The routers of the robot service, one per resource."""

from backend.robot.endpoints import bridge, emergency_stop, robots, status, waypoints

ROUTERS = (status.router, emergency_stop.router, waypoints.router, robots.router, bridge.router)
