"""The routers of the robot service, one per resource."""

from backend.robot.endpoints import bridges, emergency_stops, maps, robots, status, tasks, waypoints

ROUTERS = (
    status.router,
    tasks.router,
    emergency_stops.router,
    waypoints.router,
    maps.router,
    robots.router,
    bridges.router,
)
