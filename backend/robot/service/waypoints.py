"""Waypoints: created, updated and deleted by staff. Each change raises the map's version."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy import update as sql_update
from sqlalchemy.orm import Session

from backend.robot.schemas.waypoints import WaypointBody
from backend.shared.domain import audit
from backend.shared.errors import Conflict, NotFound
from backend.shared.models import (
    CLOSED_STATUSES,
    Copy,
    DeliveryTask,
    FleetState,
    Waypoint,
    WaypointKind,
)


def create(session: Session, body: WaypointBody, by: UUID) -> Waypoint:
    return _save(session, Waypoint(), body, by, "waypoint.create")


def update(session: Session, waypoint_id: UUID, body: WaypointBody, by: UUID) -> Waypoint:
    """Update a waypoint; Conflict when it moves or changes its kind while something needs it."""
    waypoint = get(session, waypoint_id)
    position = (waypoint.floor, waypoint.x_coordinate, waypoint.y_coordinate)
    if position != (body.floor, body.x_coordinate, body.y_coordinate):
        ensure_unused(session, waypoint_id)
    ensure_kind_is_free(session, waypoint, body.kind)
    return _save(session, waypoint, body, by, "waypoint.update")


def delete(session: Session, waypoint_id: UUID, by: UUID) -> None:
    """Deactivate a waypoint; finished tasks still refer to it."""
    waypoint = get(session, waypoint_id)
    ensure_unused(session, waypoint_id)
    ensure_no_copies(session, waypoint_id)
    waypoint.is_active = False
    raise_map_version(session)
    _audit(session, by, "waypoint.delete", waypoint.id, {})


def fill(waypoint: Waypoint, body: WaypointBody) -> None:
    """Copy the body's fields to the row and activate it."""
    waypoint.name, waypoint.location_code = body.name, body.location_code
    waypoint.kind, waypoint.floor = body.kind, body.floor
    waypoint.x_coordinate, waypoint.y_coordinate = body.x_coordinate, body.y_coordinate
    waypoint.z_coordinate, waypoint.theta = body.z_coordinate, body.theta
    waypoint.details, waypoint.is_active = body.details, True


def ensure_unused(session: Session, waypoint_id: UUID) -> None:
    """Raise Conflict when an open task starts, ends or is taken back at the waypoint."""
    reference = session.execute(
        select(DeliveryTask.reference)
        .where(
            DeliveryTask.status.notin_(CLOSED_STATUSES),
            (DeliveryTask.source_waypoint_id == waypoint_id)
            | (DeliveryTask.destination_waypoint_id == waypoint_id)
            | (DeliveryTask.back_waypoint_id == waypoint_id),
        )
        .limit(1)
    ).scalar_one_or_none()
    if reference is not None:
        raise Conflict(f"Delivery task {reference} needs this waypoint.", reference=reference)


def ensure_kind_is_free(session: Session, waypoint: Waypoint, kind: WaypointKind) -> None:
    """Raise Conflict when a task or a copy needs a known waypoint to keep another kind."""
    if waypoint not in session or waypoint.kind is kind or not waypoint.is_active:
        return
    ensure_unused(session, waypoint.id)
    home = select(Copy.barcode).where(Copy.home_workstation_id == waypoint.id).limit(1)
    barcode = session.execute(home).scalar_one_or_none()
    if barcode is not None:
        raise Conflict(f"This waypoint is the home of copy {barcode}.", barcode=barcode)


def ensure_no_copies(session: Session, waypoint_id: UUID) -> None:
    """Raise Conflict when a copy waits at the waypoint or belongs to it."""
    needed = or_(Copy.waypoint_id == waypoint_id, Copy.home_workstation_id == waypoint_id)
    barcode = session.execute(select(Copy.barcode).where(needed).limit(1)).scalar_one_or_none()
    if barcode is not None:
        raise Conflict(f"Copy {barcode} needs this waypoint.", barcode=barcode)


def raise_map_version(session: Session) -> int:
    """Raise the map's version, so that every process reloads the map; the new version."""
    session.flush()
    return session.execute(
        sql_update(FleetState)
        .values(map_version=FleetState.map_version + 1)
        .returning(FleetState.map_version)
    ).scalar_one()


def lock_map(session: Session) -> int:
    """Return the map's version; nobody else changes the map until the transaction ends.

    To be called before a waypoint or an edge is locked.
    """
    return session.execute(select(FleetState.map_version).with_for_update()).scalar_one()


def get(session: Session, waypoint_id: UUID) -> Waypoint:
    """Return a waypoint of the map, locked with the map; NotFound if there is none."""
    lock_map(session)
    waypoint = session.get(Waypoint, waypoint_id, with_for_update=True)
    if waypoint is None or not waypoint.is_active:
        raise NotFound("Waypoint not found.")
    return waypoint


def _save(
    session: Session, waypoint: Waypoint, body: WaypointBody, by: UUID, action: str
) -> Waypoint:
    for column, value in (
        (Waypoint.name, body.name),
        (Waypoint.location_code, body.location_code),
    ):
        taken = session.execute(
            select(Waypoint.id).where(func.lower(column) == value.lower(), Waypoint.is_active)
        ).scalar_one_or_none()
        if taken is not None and taken != waypoint.id:
            raise Conflict(f"A waypoint “{value}” exists already.", value=value)
    fill(waypoint, body)
    session.add(waypoint)
    raise_map_version(session)
    _audit(session, by, action, waypoint.id, body.model_dump(mode="json"))
    return waypoint


def _audit(
    session: Session, by: UUID, action: str, waypoint_id: UUID, changes: dict[str, Any]
) -> None:
    audit.record(
        session, actor_id=by, action=action, resource=("waypoint", waypoint_id), changes=changes
    )
