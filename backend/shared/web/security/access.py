"""Dependency of routes that name a member's row: load it, and require access to it."""

from collections.abc import Callable
from typing import Annotated, Any, Protocol, TypeVar
from uuid import UUID

from fastapi import Path

from backend.shared.domain import access
from backend.shared.domain.access import Access
from backend.shared.errors import NotFound
from backend.shared.web.database_session import SessionDep
from backend.shared.web.security.authentication import AnyoneDep


class Owned(Protocol):
    """A row with an owner."""

    user_id: Any  # Mapped[UUID], or of an optional UUID


M = TypeVar("M", bound=Owned)


def owned(
    model: type[M], parameter: str, name: str, allowed: Access, *, lock: bool = False
) -> Callable[..., M]:
    """Return a dependency that loads the row of a path parameter; NotFound for other members."""

    def dependency(
        row_id: Annotated[UUID, Path(alias=parameter)], session: SessionDep, actor: AnyoneDep
    ) -> M:
        row = session.get(model, row_id, with_for_update=lock or None)
        if row is None:
            raise NotFound(f"{name} not found.")
        access.require(actor, row.user_id, allowed, name)
        return row

    return dependency
