"""Holds, loan policies, the calendar, kinds of copies.

Revision: 0013, after 0012.
"""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_name("circulation.sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.execute("""
        DROP TABLE holds, loan_policies, calendar, notice_days;
        DROP INDEX ix_loans_copy_id, ix_loans_open_due_at, ix_copies_custody, ix_copies_condition;
        ALTER TABLE loans DROP COLUMN notice_step, DROP COLUMN version;
        ALTER TABLE copies DROP COLUMN kind;
    """)
