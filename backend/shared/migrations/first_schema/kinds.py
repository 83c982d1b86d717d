"""How the first schema keeps an enumeration: as text with a check."""

import sqlalchemy as sa


def kind(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
