"""The audit trail: entries are written in the transaction of the action and never changed."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.shared.domain.audit import personal_data
from backend.shared.infra import clock, ids, request_context
from backend.shared.models import AuditLog


def record(
    session: Session,
    *,
    actor_id: UUID | None,
    action: str,
    resource: tuple[str, Any],
    changes: dict[str, Any] | None = None,
) -> None:
    """Record that `actor_id` did `action` to `resource` (type, id); no secrets in `changes`.

    Personal values and the network address are encrypted with the key of their person. What a
    machine did names its service key instead of a person.
    """
    resource_type, resource_id = resource
    context = request_context.current()
    if context.service_key_id is not None:
        actor_id = None
        changes = {**(changes or {}), "service_key": str(context.service_key_id)}
    subject = personal_data.subject_of(actor_id, resource_type, resource_id)
    person = actor_id or subject
    if changes and not personal_data.PERSONAL.isdisjoint(changes):
        key = personal_data.key_of(session, subject)
        changes = personal_data.seal_changes(changes, subject, key)
    address = context.ip_address
    if address is not None:
        address = personal_data.seal(address, person, personal_data.key_of(session, person))
    session.execute(
        insert(AuditLog).values(
            id=ids.uuid7(),
            user_id=actor_id,
            action=action,
            resource_type=resource_type,
            resource_id=str(resource_id) if resource_id is not None else None,
            changes=changes or {},
            ip_address=address,
            request_id=context.request_id,
            created_at=clock.now(),
        )
    )
