"""Tables of the first schema: robots' commands."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.shared.migrations.first_schema.kinds import kind


def _robot_commands() -> None:
    op.create_table(
        "robot_commands",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("robot_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "type",
            kind(
                "commandtype", "NAVIGATE", "DOCK", "UNDOCK", "PAUSE", "RESUME", "CANCEL", "ANNOUNCE"
            ),
            nullable=False,
        ),
        sa.Column(
            "leg", kind("leg", "TO_SOURCE", "TO_DESTINATION", "BRINGING_BACK"), nullable=True
        ),
        sa.Column("target_waypoint_id", sa.Uuid(), nullable=True),
        sa.Column("loading_proof_id", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "status",
            kind(
                "commandstatus",
                "QUEUED",
                "LEASED",
                "ACCEPTED",
                "STARTED",
                "UNKNOWN",
                "SUCCEEDED",
                "FAILED",
                "REFUSED",
                "CANCELLED",
                "VOID",
            ),
            nullable=False,
        ),
        sa.Column("lease_token", sa.BigInteger(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(type = 'NAVIGATE' AND task_id IS NOT NULL) = (leg IS NOT NULL)",
            name=op.f("ck_robot_commands_a_journey_names_its_leg"),
        ),
        sa.CheckConstraint(
            "leg IS NULL OR leg = 'TO_SOURCE' OR loading_proof_id IS NOT NULL",
            name=op.f("ck_robot_commands_loaded_before_it_leaves"),
        ),
        sa.ForeignKeyConstraint(
            ["loading_proof_id", "task_id", "robot_id"],
            ["loading_proofs.id", "loading_proofs.task_id", "loading_proofs.robot_id"],
            name="fk_robot_commands_loading_proof",
        ),
        sa.ForeignKeyConstraint(
            ["robot_id"], ["robots.id"], name=op.f("fk_robot_commands_robot_id_robots")
        ),
        sa.ForeignKeyConstraint(
            ["target_waypoint_id"],
            ["waypoints.id"],
            name=op.f("fk_robot_commands_target_waypoint_id_waypoints"),
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["delivery_tasks.id"],
            name=op.f("fk_robot_commands_task_id_delivery_tasks"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robot_commands")),
    )
    op.create_index(
        "ix_robot_commands_robot_id_seq", "robot_commands", ["robot_id", "seq"], unique=False
    )
    op.create_index("ix_robot_commands_task_id", "robot_commands", ["task_id"], unique=False)
    op.create_index(
        "ix_robot_commands_waiting",
        "robot_commands",
        ["robot_id", "seq"],
        unique=False,
        postgresql_where=sa.text(
            "status IN ('QUEUED', 'LEASED', 'ACCEPTED', 'STARTED', 'UNKNOWN')"
        ),
    )
    op.create_index(
        "uq_robot_commands_active_robot",
        "robot_commands",
        ["robot_id"],
        unique=True,
        postgresql_where=sa.text(
            "type IN ('NAVIGATE', 'DOCK', 'UNDOCK') AND status IN ('QUEUED', 'LEASED', 'ACCEPTED', 'STARTED', 'UNKNOWN')"
        ),
    )


def _robot_command_reports() -> None:
    op.create_table(
        "robot_command_reports",
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["command_id"],
            ["robot_commands.id"],
            name=op.f("fk_robot_command_reports_command_id_robot_commands"),
        ),
        sa.PrimaryKeyConstraint("command_id", "event_seq", name=op.f("pk_robot_command_reports")),
    )


def _robot_errors() -> None:
    op.create_table(
        "robot_errors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("robot_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["robot_id"], ["robots.id"], name=op.f("fk_robot_errors_robot_id_robots")
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["delivery_tasks.id"], name=op.f("fk_robot_errors_task_id_delivery_tasks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robot_errors")),
    )
    op.create_index(
        "ix_robot_errors_robot_id", "robot_errors", ["robot_id", "created_at"], unique=False
    )


def create() -> None:
    _robot_commands()
    _robot_command_reports()
    _robot_errors()


def drop() -> None:
    op.drop_table("robot_errors")
    op.drop_table("robot_command_reports")
    op.drop_table("robot_commands")
