"""`luna audit verify`: recompute the hash chain of the audit trail."""

import sys

from sqlalchemy import create_engine, text

from backend.shared.infra import config
from ops.console import console

_HEADS = text("""
    SELECT DISTINCT ON (month) month, seq, encode(hash, 'hex') AS hash
    FROM audit_chain ORDER BY month, seq DESC
""")


def run() -> int:
    """Print the head of each month, then every problem; return 1 when there is one.

    The heads, kept elsewhere, also prove that nobody has rewritten a whole month.
    """
    settings = config.database()
    engine = create_engine(settings.database_owner_url or settings.database_url)
    with engine.connect() as connection:
        heads = connection.execute(_HEADS).all()
        problems = connection.execute(text("SELECT * FROM verify_audit()")).all()
    engine.dispose()
    for head in heads:
        console.print(f"{head.month:%Y-%m}: {head.seq} entries, head {head.hash}", soft_wrap=True)
    for found in problems:
        console.print(f"Entry {found.audit_id} of {found.month:%Y-%m}: {found.problem}")
    console.print("The audit trail is complete." if not problems else f"{len(problems)} problems.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(run())
