"""Routers of the authentication service, one per resource."""

from backend.auth.endpoints import accounts, passwords, sessions, system

ROUTERS = (accounts.router, passwords.router, sessions.router, system.router)
