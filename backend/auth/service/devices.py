"""Known devices: those from which an account has signed in before.

A device token proves no identity. It gives sign-ins from that device a budget of failures of
their own, which guesses from elsewhere cannot use up.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.shared.infra import clock, ids
from backend.shared.models import KnownDevice
from backend.shared.web.security import api_keys

DEVICE_LIFE = timedelta(days=180)


@dataclass(frozen=True)
class Device:
    """The device of a request, as its headers and the gateway report it."""

    user_agent: str | None
    ip_address: str | None
    token: str | None = None

    @property
    def token_hash(self) -> str:
        """Return the stored form of its token; of no stored token when it has none."""
        return api_keys.digest(self.token) if self.token else ""


def register(session: Session, user_id: UUID, device: Device) -> tuple[UUID, str]:
    """Return the id and token of the known device, which is created at its first sign-in."""
    now = clock.now()
    known = session.execute(
        select(KnownDevice.id).where(
            KnownDevice.user_id == user_id,
            KnownDevice.token_hash == device.token_hash,
            KnownDevice.expires_at > now,
        )
    ).scalar_one_or_none()
    if known is not None and device.token is not None:
        return known, device.token
    token, device_id = api_keys.new_secret(), ids.uuid7()
    session.add(
        KnownDevice(
            id=device_id,
            user_id=user_id,
            token_hash=api_keys.digest(token),
            created_at=now,
            expires_at=now + DEVICE_LIFE,
        )
    )
    session.flush()
    return device_id, token


def forget(session: Session, device_id: UUID) -> None:
    """Delete a known device; its sessions stay."""
    session.execute(delete(KnownDevice).where(KnownDevice.id == device_id))
