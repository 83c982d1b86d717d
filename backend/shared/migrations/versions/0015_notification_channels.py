"""Preferences, push subscriptions and deliveries of notifications.

Revision: 0015, after 0014.
"""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_name("notification_channels.sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.execute("DROP TABLE notification_preferences, push_subscriptions, notification_deliveries")
