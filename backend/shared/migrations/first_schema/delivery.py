"""Tables of the first schema: tasks, their history, loading proofs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.shared.migrations.first_schema.kinds import kind


def _delivery_tasks() -> None:
    op.create_table(
        "delivery_tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column(
            "task_type",
            kind(
                "tasktype",
                "STUDENT_DELIVERY",
                "RETURN_PICKUP",
                "INTER_STAFF",
                "WORKSTATION",
                "TRANSFER",
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            kind(
                "taskstatus",
                "PENDING",
                "QUEUED",
                "ASSIGNED",
                "IN_PROGRESS",
                "COMPLETED",
                "FAILED",
                "CANCELLED",
            ),
            nullable=False,
        ),
        sa.Column(
            "stage",
            kind("stage", "TO_SOURCE", "LOADING", "TO_DESTINATION", "HANDOVER", "BRINGING_BACK"),
            nullable=True,
        ),
        sa.Column("priority", kind("priority", "LOW", "NORMAL", "HIGH", "URGENT"), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("return_id", sa.Uuid(), nullable=True),
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("copy_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_robot_id", sa.Uuid(), nullable=True),
        sa.Column("source_location", sa.Text(), nullable=False),
        sa.Column("source_waypoint_id", sa.Uuid(), nullable=False),
        sa.Column("destination_location", sa.Text(), nullable=False),
        sa.Column("destination_waypoint_id", sa.Uuid(), nullable=False),
        sa.Column("back_waypoint_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("recipient_id", sa.Uuid(), nullable=True),
        sa.Column("loaded_by", sa.Uuid(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("times_not_loaded", sa.Integer(), nullable=False),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("book_location", sa.Text(), nullable=True),
        sa.Column("eta", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "((status IN ('ASSIGNED', 'IN_PROGRESS')) = (stage IS NOT NULL)) AND (NOT (status IN ('ASSIGNED', 'IN_PROGRESS')) OR assigned_robot_id IS NOT NULL)",
            name=op.f("ck_delivery_tasks_travels_with_a_robot_and_a_stage"),
        ),
        sa.CheckConstraint(
            "(status <> 'ASSIGNED' OR stage IN ('TO_SOURCE', 'LOADING')) AND (status <> 'IN_PROGRESS' OR stage IN ('TO_DESTINATION', 'HANDOVER', 'BRINGING_BACK'))",
            name=op.f("ck_delivery_tasks_stage_belongs_to_status"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(request_id, return_id) <= 1", name=op.f("ck_delivery_tasks_one_cause")
        ),
        sa.ForeignKeyConstraint(
            ["assigned_robot_id"],
            ["robots.id"],
            name=op.f("fk_delivery_tasks_assigned_robot_id_robots"),
        ),
        sa.ForeignKeyConstraint(
            ["back_waypoint_id"],
            ["waypoints.id"],
            name=op.f("fk_delivery_tasks_back_waypoint_id_waypoints"),
        ),
        sa.ForeignKeyConstraint(
            ["book_id"], ["books.id"], name=op.f("fk_delivery_tasks_book_id_books")
        ),
        sa.ForeignKeyConstraint(
            ["copy_id"], ["copies.id"], name=op.f("fk_delivery_tasks_copy_id_copies")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_delivery_tasks_created_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["destination_waypoint_id"],
            ["waypoints.id"],
            name=op.f("fk_delivery_tasks_destination_waypoint_id_waypoints"),
        ),
        sa.ForeignKeyConstraint(
            ["loaded_by"], ["users.id"], name=op.f("fk_delivery_tasks_loaded_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["users.id"], name=op.f("fk_delivery_tasks_recipient_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["book_requests.id"],
            name=op.f("fk_delivery_tasks_request_id_book_requests"),
        ),
        sa.ForeignKeyConstraint(
            ["return_id"],
            ["book_returns.id"],
            name=op.f("fk_delivery_tasks_return_id_book_returns"),
        ),
        sa.ForeignKeyConstraint(
            ["source_waypoint_id"],
            ["waypoints.id"],
            name=op.f("fk_delivery_tasks_source_waypoint_id_waypoints"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_tasks")),
        sa.UniqueConstraint("reference", name=op.f("uq_delivery_tasks_reference")),
    )
    op.create_index(
        "ix_delivery_tasks_assigned_robot_id",
        "delivery_tasks",
        ["assigned_robot_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_delivery_tasks_created_at", "delivery_tasks", ["created_at", "id"], unique=False
    )
    op.create_index(
        "ix_delivery_tasks_status_priority_created_at",
        "delivery_tasks",
        ["status", "priority", "created_at"],
        unique=False,
    )
    op.create_index(
        "uq_delivery_tasks_active_robot",
        "delivery_tasks",
        ["assigned_robot_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('ASSIGNED', 'IN_PROGRESS')"),
    )
    op.create_index(
        "uq_delivery_tasks_open_copy",
        "delivery_tasks",
        ["copy_id"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('COMPLETED', 'CANCELLED')"),
    )
    op.create_index("uq_delivery_tasks_request_id", "delivery_tasks", ["request_id"], unique=True)
    op.create_index("uq_delivery_tasks_return_id", "delivery_tasks", ["return_id"], unique=True)


def _task_status_history() -> None:
    op.create_table(
        "task_status_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column(
            "from_status",
            kind(
                "from_status",
                "PENDING",
                "QUEUED",
                "ASSIGNED",
                "IN_PROGRESS",
                "COMPLETED",
                "FAILED",
                "CANCELLED",
            ),
            nullable=True,
        ),
        sa.Column(
            "to_status",
            kind(
                "to_status",
                "PENDING",
                "QUEUED",
                "ASSIGNED",
                "IN_PROGRESS",
                "COMPLETED",
                "FAILED",
                "CANCELLED",
            ),
            nullable=False,
        ),
        sa.Column(
            "from_stage",
            kind(
                "from_stage", "TO_SOURCE", "LOADING", "TO_DESTINATION", "HANDOVER", "BRINGING_BACK"
            ),
            nullable=True,
        ),
        sa.Column(
            "to_stage",
            kind("to_stage", "TO_SOURCE", "LOADING", "TO_DESTINATION", "HANDOVER", "BRINGING_BACK"),
            nullable=True,
        ),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("robot_id", sa.Uuid(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["robot_id"], ["robots.id"], name=op.f("fk_task_status_history_robot_id_robots")
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["delivery_tasks.id"],
            name=op.f("fk_task_status_history_task_id_delivery_tasks"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_status_history")),
    )
    op.create_index(
        "ix_task_status_history_task_id", "task_status_history", ["task_id", "id"], unique=False
    )


def _loading_proofs() -> None:
    op.create_table(
        "loading_proofs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("robot_id", sa.Uuid(), nullable=False),
        sa.Column("copy_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["users.id"], name=op.f("fk_loading_proofs_confirmed_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["copy_id"], ["copies.id"], name=op.f("fk_loading_proofs_copy_id_copies")
        ),
        sa.ForeignKeyConstraint(
            ["robot_id"], ["robots.id"], name=op.f("fk_loading_proofs_robot_id_robots")
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["delivery_tasks.id"],
            name=op.f("fk_loading_proofs_task_id_delivery_tasks"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loading_proofs")),
        sa.UniqueConstraint(
            "id", "task_id", "robot_id", name=op.f("uq_loading_proofs_id_task_id_robot_id")
        ),
        sa.UniqueConstraint("task_id", "attempt", name=op.f("uq_loading_proofs_task_id_attempt")),
    )


def create() -> None:
    _delivery_tasks()
    _task_status_history()
    _loading_proofs()


def drop() -> None:
    op.drop_table("loading_proofs")
    op.drop_table("task_status_history")
    op.drop_table("delivery_tasks")
