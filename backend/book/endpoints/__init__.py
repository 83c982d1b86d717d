"""The routes of the book service, by noun."""

from backend.book.endpoints import books, copies, imports, loans

ROUTERS = (books.router, imports.router, copies.router, loans.router)
