"""Add the index by which the worker's metrics count dead letters.

Revision: 0006, after 0005.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_outbox_dead ON outbox (event_type) WHERE dead_at IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP INDEX ix_outbox_dead")
