"""Routers of the authentication service, one per resource."""

from backend.auth.endpoints import accounts, sessions, system

ROUTERS = (accounts.router, sessions.router, system.router)
