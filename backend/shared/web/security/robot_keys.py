"""The keys of robots."""

from sqlalchemy import select

from backend.shared.domain.actor import RobotActor
from backend.shared.infra import clock
from backend.shared.infra.hot_reads import HotRead
from backend.shared.models import Robot, RobotKey
from backend.shared.web.security import api_keys
from backend.shared.web.security.key_snapshot import KeySnapshot

KEYS = HotRead(
    select(RobotKey.prefix, RobotKey.key_hash, RobotKey.expires_at, Robot.id, Robot.robot_name)
    .join(Robot, Robot.id == RobotKey.robot_id)
    .where(RobotKey.revoked_at.is_(None), Robot.retired_at.is_(None))
)
_snapshot = KeySnapshot(KEYS)


async def find(key: str) -> RobotActor | None:
    """Return the robot whose key this is, if the key is valid."""
    prefix = api_keys.robot_key_prefix(key)
    row = None if prefix is None else await _snapshot.get(prefix)
    if row is None or not api_keys.matches_digest(key, row.key_hash):
        return None
    if row.expires_at is not None and row.expires_at <= clock.now():
        return None
    return RobotActor(row.id, row.robot_name)


def clear() -> None:
    """Forget all keys (for tests that change the database or the clock)."""
    _snapshot.clear()
