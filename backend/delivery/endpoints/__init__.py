"""The routers of the delivery service, one per resource."""

from backend.delivery.endpoints import alerts, deliveries, overview, preparation, requests, returns

ROUTERS = (
    requests.router,
    returns.router,
    overview.router,
    preparation.router,
    alerts.router,
    deliveries.router,
)
