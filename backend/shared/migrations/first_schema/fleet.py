"""Tables of the first schema: robots and their map."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.shared.migrations.first_schema.kinds import kind


def _robots() -> None:
    op.create_table(
        "robots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("robot_name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column(
            "status",
            kind("robotstatus", "IDLE", "BUSY", "NAVIGATING", "ERROR", "MAINTENANCE"),
            nullable=False,
        ),
        sa.Column(
            "connectivity",
            kind("connectivity", "NEVER_SEEN", "ONLINE", "STALE", "OFFLINE"),
            nullable=False,
        ),
        sa.Column("current_location", sa.Text(), nullable=True),
        sa.Column("pose", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("battery_level", sa.Double(), nullable=True),
        sa.Column("charging", sa.Boolean(), nullable=False),
        sa.Column("docked", sa.Boolean(), nullable=False),
        sa.Column("speed", sa.Double(), nullable=True),
        sa.Column("sensor_data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("capabilities", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("software_version", sa.Text(), nullable=True),
        sa.Column("last_heartbeat", sa.DateTime(timezone=True), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=True),
        sa.Column("heartbeat_seq", sa.BigInteger(), nullable=False),
        sa.Column("stop_version", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_by", sa.Uuid(), nullable=True),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("stop_scope", kind("stopscope", "ROBOT", "FLEET"), nullable=True),
        sa.Column("stop_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("motion_stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_alerted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["stopped_by"], ["users.id"], name=op.f("fk_robots_stopped_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robots")),
        sa.UniqueConstraint("robot_name", name=op.f("uq_robots_robot_name")),
    )


def _robot_keys() -> None:
    op.create_table(
        "robot_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("robot_id", sa.Uuid(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["robot_id"], ["robots.id"], name=op.f("fk_robot_keys_robot_id_robots")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robot_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_robot_keys_prefix")),
    )
    op.create_index("ix_robot_keys_robot_id", "robot_keys", ["robot_id"], unique=False)


def _enrolment_codes() -> None:
    op.create_table(
        "enrolment_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("robot_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["robot_id"], ["robots.id"], name=op.f("fk_enrolment_codes_robot_id_robots")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_enrolment_codes_code_hash")),
    )


def _fleet_state() -> None:
    op.create_table(
        "fleet_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stop_version", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_by", sa.Uuid(), nullable=True),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("map_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_fleet_state_one_row")),
        sa.ForeignKeyConstraint(
            ["stopped_by"], ["users.id"], name=op.f("fk_fleet_state_stopped_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fleet_state")),
    )


def _waypoints() -> None:
    op.create_table(
        "waypoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("location_code", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            kind(
                "waypointkind",
                "WORKSTATION",
                "DELIVERY_POINT",
                "RETURN_STATION",
                "DOCK",
                "JUNCTION",
            ),
            nullable=False,
        ),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.Column("x_coordinate", sa.Double(), nullable=False),
        sa.Column("y_coordinate", sa.Double(), nullable=False),
        sa.Column("z_coordinate", sa.Double(), nullable=False),
        sa.Column("theta", sa.Double(), nullable=False),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waypoints")),
    )
    op.create_index(
        "uq_waypoints_location_code",
        "waypoints",
        [sa.literal_column("lower(location_code)")],
        unique=True,
        postgresql_where=sa.text("is_active"),
    )
    op.create_index(
        "uq_waypoints_name",
        "waypoints",
        [sa.literal_column("lower(name)")],
        unique=True,
        postgresql_where=sa.text("is_active"),
    )


def _waypoint_edges() -> None:
    op.create_table(
        "waypoint_edges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("distance", sa.Double(), nullable=False),
        sa.Column("bidirectional", sa.Boolean(), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("distance > 0", name=op.f("ck_waypoint_edges_has_length")),
        sa.ForeignKeyConstraint(
            ["from_id"],
            ["waypoints.id"],
            name=op.f("fk_waypoint_edges_from_id_waypoints"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["to_id"],
            ["waypoints.id"],
            name=op.f("fk_waypoint_edges_to_id_waypoints"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waypoint_edges")),
        sa.UniqueConstraint("from_id", "to_id", name=op.f("uq_waypoint_edges_from_id_to_id")),
    )


def _floor_plans() -> None:
    op.create_table(
        "floor_plans",
        sa.Column("floor", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("svg", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("floor", name=op.f("pk_floor_plans")),
    )


def create() -> None:
    _robots()
    _robot_keys()
    _enrolment_codes()
    _fleet_state()
    _waypoints()
    _waypoint_edges()
    _floor_plans()


def drop() -> None:
    op.drop_table("floor_plans")
    op.drop_table("waypoint_edges")
    op.drop_table("waypoints")
    op.drop_table("fleet_state")
    op.drop_table("enrolment_codes")
    op.drop_table("robot_keys")
    op.drop_table("robots")
