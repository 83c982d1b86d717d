"""`luna.v1.LibraryService`: who may call each method, and the class that answers."""

from backend.book.rpc.library_service import LibraryService
from backend.shared.domain.actor import EVERYONE, STAFF
from backend.shared.proto.gen.luna.v1 import library_connect
from backend.shared.web.rpc.server import RpcServer

RPC = RpcServer(
    "book-service",
    LibraryService(),
    library_connect.LibraryServiceASGIApplication,
    roles={
        "CreateBook": STAFF,
        "UpdateBook": STAFF,
        "GetBook": EVERYONE,
        "SearchBooks": EVERYONE,
        "CreateMember": STAFF,
        "BorrowBook": STAFF,
        "ReturnBook": STAFF,
        "ListBorrowedBooks": EVERYONE,
    },
)
