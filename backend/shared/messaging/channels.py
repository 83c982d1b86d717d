"""Names of the PostgreSQL and Redis channels."""

CHANNEL = "outbox"  # of LISTEN and NOTIFY, see the first migration
