"""The standard health service: whether this process serves its RPCs."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from sqlalchemy.exc import SQLAlchemyError

from backend.shared.infra import hot_reads
from backend.shared.proto.gen.grpc.health.v1 import health_connect
from backend.shared.proto.gen.grpc.health.v1.health_pb import (
    HealthCheckRequest,
    HealthCheckResponse,
)
from backend.shared.web.rpc.access import Context

_Status = HealthCheckResponse.ServingStatus
_INTERVAL = 1.0  # seconds between two looks of Watch


class Health(health_connect.Health):
    """SERVING while the database answers and the process is not shutting down."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset({"", *names})
        self.stopping = False

    async def check(self, request: HealthCheckRequest, _: Context, /) -> HealthCheckResponse:
        """Return the status of one service, or of the process; NOT_FOUND for another name."""
        if request.service not in self._names:
            raise ConnectError(Code.NOT_FOUND, "This process has no service of that name.")
        return HealthCheckResponse(status=await self._status(request.service))

    async def watch(
        self, request: HealthCheckRequest, _: Context, /
    ) -> AsyncIterator[HealthCheckResponse]:
        """Yield the status now and at each change."""
        last = None
        while True:
            status = await self._status(request.service)
            if status is not last:
                last = status
                yield HealthCheckResponse(status=status)
            if self.stopping:
                return
            await asyncio.sleep(_INTERVAL)

    async def _status(self, name: str) -> HealthCheckResponse.ServingStatus:
        if name not in self._names:
            return _Status.SERVICE_UNKNOWN
        if self.stopping or not await _database_answers():
            return _Status.NOT_SERVING
        return _Status.SERVING


async def _database_answers() -> bool:
    try:
        await hot_reads.run("SELECT 1", {})
    except (SQLAlchemyError, OSError):
        return False
    return True
