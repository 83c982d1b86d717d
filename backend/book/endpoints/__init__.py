"""Routers of the book service, one per resource."""

from backend.book.endpoints import books, copies, desk, imports, loans

# Imports first: `/books/bulk-import` would match `/books/{book_id}`.
ROUTERS = (imports.router, books.router, copies.router, desk.router, loans.router)
