"""What robots were and where, by time. Written by a trigger on `robots` and the robot service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base


class RobotStatusLog(Base):
    """A change of a robot's state, or a sample of it. In partitions by month."""

    __tablename__ = "robot_status_logs"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    robot_id: Mapped[UUID] = mapped_column(ForeignKey("robots.id"))
    status: Mapped[str]
    connectivity: Mapped[str]
    location: Mapped[str | None]
    pose: Mapped[dict[str, Any] | None]
    battery_level: Mapped[float | None]
    charging: Mapped[bool]
    sensor_data: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())

    __table_args__ = (
        Index("ix_robot_status_logs_robot_id", "robot_id", "recorded_at"),
        {"postgresql_partition_by": "RANGE (recorded_at)"},
    )
