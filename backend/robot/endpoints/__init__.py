"""The routers of the robot service, one per resource."""

from backend.robot.endpoints import (
    bridges,
    emergency_stops,
    heartbeats,
    maps,
    robots,
    status,
    tasks,
    waypoints,
)

ROUTERS = (
    status.router,
    tasks.router,
    emergency_stops.router,
    waypoints.router,
    maps.router,
    robots.router,
    heartbeats.router,
    bridges.router,
)
