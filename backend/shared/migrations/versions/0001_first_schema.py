"""Create the schema of the first release: 0001_first_schema.sql."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "aggregate_sequences, audit_logs, book_requests, book_returns, books, copies, delivery_tasks, "
    "enrolment_codes, event_runs, fleet_state, floor_plans, idempotency_keys, import_files, "
    "import_jobs, import_rows, live_position, loading_proofs, loans, notifications, outbox, "
    "part_heartbeats, processed_events, robot_command_reports, robot_commands, robot_errors, "
    "robot_keys, robots, sessions, task_status_history, users, waypoint_edges, waypoints"
)


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.execute(f"DROP TABLE {_TABLES}")
    op.execute("DROP SEQUENCE barcodes, lease_tokens, stop_versions")
    op.execute("DROP FUNCTION derive_books, index_book, notify_outbox, words_of")
