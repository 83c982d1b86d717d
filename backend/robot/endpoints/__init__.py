"""The routers of the robot service, one per resource."""

from backend.robot.endpoints import (
    bridges,
    emergency_stops,
    heartbeats,
    manual_control,
    maps,
    robot_history,
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
    robot_history.router,
    manual_control.router,
    heartbeats.router,
    bridges.router,
)
