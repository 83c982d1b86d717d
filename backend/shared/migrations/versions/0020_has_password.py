"""Whether an account has a password, so that the worker writes the right mail without the hash.

Revision: 0020, after 0019.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE users ADD COLUMN has_password boolean"
        " GENERATED ALWAYS AS (password_hash <> '!') STORED NOT NULL"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP COLUMN has_password")
