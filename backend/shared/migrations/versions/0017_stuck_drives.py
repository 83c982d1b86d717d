"""Drives that cannot go on: tried again once the robot can move, or waiting for staff.

Revision: 0017, after 0016.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_REASONS = """
    'WAITING_FOR_ROBOT', 'WAITING_TO_BE_LOADED', 'ANOTHER_ROBOT', 'ROBOT_STOPPED', 'ROBOT_OFFLINE',
    'DETOUR', 'SLOWER'
"""


def upgrade() -> None:
    op.execute("ALTER TABLE robot_commands ADD COLUMN is_due_again boolean NOT NULL DEFAULT false")
    _allow(f"{_REASONS}, 'WAITING_FOR_STAFF'")


def downgrade() -> None:
    op.execute("ALTER TABLE robot_commands DROP COLUMN is_due_again")
    op.execute("UPDATE delivery_tasks SET eta_reason = NULL WHERE eta_reason = 'WAITING_FOR_STAFF'")
    _allow(_REASONS)


def _allow(reasons: str) -> None:
    op.execute(f"""
        ALTER TABLE delivery_tasks
            DROP CONSTRAINT ck_delivery_tasks_etareason,
            ADD CONSTRAINT ck_delivery_tasks_etareason CHECK (eta_reason IN ({reasons}));
    """)
