"""The routers of the book service, one per resource."""

from backend.book.endpoints import books, copies, imports, loans

ROUTERS = (imports.router, books.router, copies.router, loans.router)
