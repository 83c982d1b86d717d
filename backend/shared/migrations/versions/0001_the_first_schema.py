"""The first schema.

Revision: 0001, the beginning.
"""

from backend.shared.migrations.first_schema import (
    catalogue,
    circulation,
    commands,
    delivery,
    fleet,
    notification,
    people,
    requests,
    rules,
    system,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OWNERS = (
    people,
    fleet,
    catalogue,
    circulation,
    requests,
    delivery,
    commands,
    notification,
    system,
)


def upgrade() -> None:
    for owner in _OWNERS:
        owner.create()
    rules.create()


def downgrade() -> None:
    rules.drop()
    for owner in reversed(_OWNERS):
        owner.drop()
