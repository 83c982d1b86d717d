"""Routers of the authentication service, one per resource."""

from backend.auth.endpoints import (
    accounts,
    devices,
    oidc,
    passwords,
    second_factor,
    service_keys,
    sessions,
    system,
    users,
)

ROUTERS = (
    accounts.router,
    users.router,
    passwords.router,
    second_factor.router,
    sessions.router,
    devices.router,
    oidc.router,
    service_keys.router,
    system.router,
)
