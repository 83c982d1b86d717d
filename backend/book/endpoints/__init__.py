"""Routers of the book service, one per resource."""

from backend.book.endpoints import (
    books,
    copies,
    desk,
    holds,
    imports,
    loans,
    merges,
    rules,
    scanning,
)

# Imports first: `/books/bulk-import` would match `/books/{book_id}`; likewise the rules of loans.
ROUTERS = (
    imports.router,
    books.router,
    merges.router,
    copies.router,
    scanning.router,
    rules.router,
    desk.router,
    loans.router,
    holds.router,
)
