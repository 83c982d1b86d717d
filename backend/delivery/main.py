"""The delivery service: requests, returns and the delivery tasks that serve them.

INPUT   members: requests, returns; staff: book-placed, complete, cancel, fail, retry
OUTPUT  delivery tasks and their history; events delivery.*; robot commands, through the workflow
FLOW    endpoints → service → shared.domain.workflow → outbox → tasks
        (command_outcomes: results that robots report; deadlines: timeouts)
"""

from backend.delivery.endpoints import ROUTERS
from backend.shared.web.app import create_app

app = create_app(
    "delivery-service",
    *ROUTERS,
    summary="Requests, returns and the delivery tasks that serve them",
)
