"""The routers of the delivery service, one per resource."""

from backend.delivery.endpoints import alerts, deliveries, preparation, requests, returns

ROUTERS = (requests.router, returns.router, preparation.router, alerts.router, deliveries.router)
