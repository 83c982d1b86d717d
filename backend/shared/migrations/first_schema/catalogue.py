"""Tables of the first schema: titles, copies and imports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.shared.migrations.first_schema.kinds import kind


def _books() -> None:
    op.create_table(
        "books",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("isbn", sa.Text(), nullable=True),
        sa.Column("other_identifiers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subtitle", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("contributors", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=True),
        sa.Column("publication_year", sa.SmallInteger(), nullable=True),
        sa.Column("edition", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("subjects", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("cover_image_url", sa.Text(), nullable=True),
        sa.Column("call_number", sa.Text(), nullable=True),
        sa.Column("shelf_location", sa.Text(), nullable=True),
        sa.Column(
            "status",
            kind("bookstatus", "AVAILABLE", "RESERVED", "CHECKED_OUT", "UNAVAILABLE"),
            server_default="UNAVAILABLE",
            nullable=False,
        ),
        sa.Column("copies_total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("copies_available", sa.Integer(), server_default="0", nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("isbn ~ '^97[89][0-9]{10}$'", name=op.f("ck_books_isbn_13")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_books")),
    )
    op.create_index(
        "ix_books_author", "books", [sa.literal_column("lower(author)"), "id"], unique=False
    )
    op.create_index("ix_books_created_at", "books", ["created_at", "id"], unique=False)
    op.create_index("ix_books_language", "books", ["language", "created_at", "id"], unique=False)
    op.create_index("ix_books_publication_year", "books", ["publication_year", "id"], unique=False)
    op.create_index("ix_books_search", "books", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_books_status", "books", ["status", "created_at", "id"], unique=False)
    op.create_index(
        "ix_books_subjects", "books", ["subjects"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "ix_books_title", "books", [sa.literal_column("lower(title)"), "id"], unique=False
    )
    op.create_index(
        "uq_books_isbn",
        "books",
        ["isbn"],
        unique=True,
        postgresql_where=sa.text("isbn IS NOT NULL AND withdrawn_at IS NULL"),
    )


def _copies() -> None:
    op.create_table(
        "copies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("book_id", sa.Uuid(), nullable=False),
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.Column(
            "condition",
            kind(
                "condition",
                "OK",
                "REFERENCE_ONLY",
                "IN_PROCESS",
                "DAMAGED",
                "MISSING",
                "LOST",
                "WITHDRAWN",
            ),
            nullable=False,
        ),
        sa.Column(
            "custody",
            kind(
                "custody", "ON_SHELF", "RESERVED", "ON_ROBOT", "ON_LOAN", "ON_HOLD_SHELF", "AT_DESK"
            ),
            nullable=False,
        ),
        sa.Column("shelf_location", sa.Text(), nullable=True),
        sa.Column("call_number", sa.Text(), nullable=True),
        sa.Column("home_workstation_id", sa.Uuid(), nullable=True),
        sa.Column("robot_transportable", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["books.id"], name=op.f("fk_copies_book_id_books")),
        sa.ForeignKeyConstraint(
            ["home_workstation_id"],
            ["waypoints.id"],
            name=op.f("fk_copies_home_workstation_id_waypoints"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copies")),
        sa.UniqueConstraint("barcode", name=op.f("uq_copies_barcode")),
    )
    op.create_index(
        "ix_copies_book_id", "copies", ["book_id", "custody", "condition"], unique=False
    )
    op.create_index("ix_copies_shelf_location", "copies", ["shelf_location"], unique=False)


def _import_jobs() -> None:
    op.create_table(
        "import_jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            kind("importstate", "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"),
            nullable=False,
        ),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("processed", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_import_jobs_created_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_jobs")),
    )


def _import_files() -> None:
    op.create_table(
        "import_files",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("piece", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["import_jobs.id"],
            name=op.f("fk_import_files_job_id_import_jobs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "piece", name=op.f("pk_import_files")),
    )


def _import_rows() -> None:
    op.create_table(
        "import_rows",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("severity", kind("severity", "ERROR", "WARNING"), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["import_jobs.id"],
            name=op.f("fk_import_rows_job_id_import_jobs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_rows")),
    )
    op.create_index("ix_import_rows_job_id", "import_rows", ["job_id", "row"], unique=False)


def create() -> None:
    _books()
    _copies()
    _import_jobs()
    _import_files()
    _import_rows()


def drop() -> None:
    op.drop_table("import_rows")
    op.drop_table("import_files")
    op.drop_table("import_jobs")
    op.drop_table("copies")
    op.drop_table("books")
