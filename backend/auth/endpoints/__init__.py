"""Routers of the authentication service, one per resource."""

from backend.auth.endpoints import accounts, devices, passwords, sessions, system, users

ROUTERS = (
    accounts.router,
    users.router,
    passwords.router,
    sessions.router,
    devices.router,
    system.router,
)
