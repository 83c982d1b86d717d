"""Book service: the catalogue, its copies, imports and loans.

INPUT   searches and changes of the catalogue; files to import
OUTPUT  titles, copies, availability, loans; events catalog.*
FLOW    endpoints → cached_reads (reads) or service (writes) → database
        import: endpoint → job and file → catalog.import.queued → tasks → imports, batch by batch
"""

from backend.book.endpoints import ROUTERS
from backend.book.rpc import RPC
from backend.shared.web.app import create_app

app = create_app(
    "book-service",
    *ROUTERS,
    summary="Titles, copies, availability, imports and loans",
    rpc=RPC,
)
