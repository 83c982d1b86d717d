"""Tables of the first schema: loans."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.shared.migrations.first_schema.kinds import kind


def _loans() -> None:
    op.create_table(
        "loans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("copy_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("borrowed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renewals", sa.Integer(), nullable=False),
        sa.Column("channel", kind("loanchannel", "ROBOT", "DESK", "RPC"), nullable=False),
        sa.Column(
            "state",
            kind("loanstate", "ACTIVE", "RETURNED", "CLAIMED_RETURNED", "LOST"),
            nullable=False,
        ),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["copy_id"], ["copies.id"], name=op.f("fk_loans_copy_id_copies")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_loans_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loans")),
    )
    op.create_index("ix_loans_borrowed_at", "loans", ["borrowed_at", "id"], unique=False)
    op.create_index("ix_loans_due_at", "loans", ["due_at", "id"], unique=False)
    op.create_index("ix_loans_user_id", "loans", ["user_id", "returned_at"], unique=False)
    op.create_index(
        "uq_loans_open_copy",
        "loans",
        ["copy_id"],
        unique=True,
        postgresql_where=sa.text("returned_at IS NULL"),
    )


def create() -> None:
    _loans()


def drop() -> None:
    op.drop_table("loans")
