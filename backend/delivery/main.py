"""The delivery service.

INPUT   members: requests, returns; staff: book-placed, complete, cancel, fail, retry
OUTPUT  journeys, their history; events delivery.*; through the workflow the robot's commands
FLOW    requests, returns, endpoints → service, journeys → shared.workflow → outbox → tasks
        (following: what robots did; deadlines: what people did not)
"""

from backend.delivery.endpoints import deliveries, requests, returns
from backend.shared.web.app import create_app

app = create_app(
    "delivery-service",
    requests.router,
    returns.router,
    deliveries.router,
    summary="Requests, returns and the journeys that serve them",
)
