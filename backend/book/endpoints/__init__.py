"""The routes of the book service, by noun."""

from backend.book.endpoints import books, copies, loans

ROUTERS = (books.router, copies.router, loans.router)
