"""The routers of the delivery service, one per resource."""

from backend.delivery.endpoints import deliveries, requests, returns

ROUTERS = (requests.router, returns.router, deliveries.router)
