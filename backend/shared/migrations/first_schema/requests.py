"""Tables of the first schema: requests and returns."""

import sqlalchemy as sa
from alembic import op

from backend.shared.migrations.first_schema.kinds import kind


def _book_requests() -> None:
    op.create_table(
        "book_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("copy_id", sa.Uuid(), nullable=False),
        sa.Column("request_location", sa.Text(), nullable=False),
        sa.Column("waypoint_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            kind("requeststatus", "PENDING", "APPROVED", "IN_PROGRESS", "COMPLETED", "CANCELLED"),
            nullable=False,
        ),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("handover_code", sa.Text(), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["book_id"], ["books.id"], name=op.f("fk_book_requests_book_id_books")
        ),
        sa.ForeignKeyConstraint(
            ["copy_id"], ["copies.id"], name=op.f("fk_book_requests_copy_id_copies")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_book_requests_user_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["waypoint_id"], ["waypoints.id"], name=op.f("fk_book_requests_waypoint_id_waypoints")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_requests")),
    )
    op.create_index(
        "ix_book_requests_requested_at", "book_requests", ["requested_at", "id"], unique=False
    )
    op.create_index(
        "ix_book_requests_user_id_status", "book_requests", ["user_id", "status"], unique=False
    )
    op.create_index(
        "uq_book_requests_open_copy",
        "book_requests",
        ["copy_id"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('COMPLETED', 'CANCELLED')"),
    )
    op.create_index(
        "uq_book_requests_open_user_book",
        "book_requests",
        ["user_id", "book_id"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('COMPLETED', 'CANCELLED')"),
    )


def _book_returns() -> None:
    op.create_table(
        "book_returns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("loan_id", sa.Uuid(), nullable=False),
        sa.Column("pickup_location", sa.Text(), nullable=False),
        sa.Column("waypoint_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            kind(
                "returnstatus", "PENDING", "PICKUP_SCHEDULED", "PICKED_UP", "COMPLETED", "CANCELLED"
            ),
            nullable=False,
        ),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("initiated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("picked_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["book_id"], ["books.id"], name=op.f("fk_book_returns_book_id_books")
        ),
        sa.ForeignKeyConstraint(
            ["loan_id"], ["loans.id"], name=op.f("fk_book_returns_loan_id_loans")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_book_returns_user_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["waypoint_id"], ["waypoints.id"], name=op.f("fk_book_returns_waypoint_id_waypoints")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_returns")),
    )
    op.create_index(
        "ix_book_returns_initiated_at", "book_returns", ["initiated_at", "id"], unique=False
    )
    op.create_index(
        "ix_book_returns_user_id_status", "book_returns", ["user_id", "status"], unique=False
    )
    op.create_index(
        "uq_book_returns_open_loan",
        "book_returns",
        ["loan_id"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('COMPLETED', 'CANCELLED')"),
    )


def create() -> None:
    _book_requests()
    _book_returns()


def drop() -> None:
    op.drop_table("book_returns")
    op.drop_table("book_requests")
