"""Run the live view with its application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from backend.notification.live.connection_manager import ConnectionManager


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run the connection manager as long as the application runs."""
    app.state.connection_manager = manager = ConnectionManager()
    async with manager.running():
        yield
