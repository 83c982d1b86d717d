"""The book service.

INPUT   searches and changes of the catalogue by people; files to import; nothing from robots
OUTPUT  titles, copies, availability, loans; events catalog.*
FLOW    endpoint → answers (cached read) or service (rule) → database
        import: endpoint → job and file in pieces → catalog.import.queued → tasks → imports
"""

from backend.book.endpoints import ROUTERS
from backend.shared.infra import config
from backend.shared.web.app import create_app

app = create_app(
    "book-service",
    *ROUTERS,
    summary="Titles, copies, availability, imports and loans",
    body_limits=[("/api/v1/books/bulk-import", config.http().max_import_bytes)],
)
