"""Every error code of the contract is declared once, with its HTTP and gRPC status."""

import ast
from collections import Counter

from backend.shared.errors import LunaError
from backend.shared.web.rpc import failures
from ops.docs import docs_pages
from tests.architecture import source_files

CONTRACT = set(
    """
    SECOND_FACTOR_REQUIRED INVALID_TOKEN CSRF_REJECTED WRONG_CODE ALREADY_CLAIMED
    VALIDATION_ERROR MALFORMED_JSON METHOD_NOT_ALLOWED BAD_GATEWAY UNAUTHENTICATED TOKEN_EXPIRED
    TOKEN_REVOKED INVALID_CREDENTIALS ACCOUNT_INACTIVE FORBIDDEN ROLE_NOT_ALLOWED NOT_FOUND CONFLICT
    EMAIL_TAKEN ISBN_TAKEN BOOK_NOT_AVAILABLE BOOK_IN_USE INVALID_STATE_TRANSITION UNKNOWN_LOCATION
    ALREADY_REQUESTED ALREADY_RETURNING NOT_BORROWED LOAN_LIMIT_REACHED RENEWAL_LIMIT_REACHED
    HOLD_EXISTS ROBOT_UNAVAILABLE ROBOT_STOPPED WRONG_ROBOT WRONG_COPY STALE_EPOCH LEASE_LOST
    STALE_VERSION IDEMPOTENCY_KEY_REUSED PAGE_TOO_DEEP PAYLOAD_TOO_LARGE UNSUPPORTED_MEDIA_TYPE
    REQUEST_TIMEOUT URI_TOO_LONG MISDIRECTED_REQUEST HEADERS_TOO_LARGE
    RATE_LIMITED SERVICE_UNAVAILABLE INTERNAL_ERROR
    """.split()  # noqa: SIM905 (read as the contract writes it)
)
LATER: set[str] = set()  # codes of the contract that no class declares yet
GRPC = {
    *("INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("FAILED_PRECONDITION", "ABORTED", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "UNIMPLEMENTED"),
    "INTERNAL",
    "DEADLINE_EXCEEDED",
}


def _declared() -> Counter[str]:
    """Count the error codes that classes of the backend declare."""
    found: Counter[str] = Counter()
    for path in source_files.python("backend"):
        for node in ast.walk(source_files.parsed(path)):
            if isinstance(node, ast.ClassDef):
                found.update(_codes(node))
    return found


def _codes(node: ast.ClassDef) -> list[str]:
    codes = []
    for line in node.body:
        targets, value = _assigned(line)
        for target, given in zip(targets, value, strict=False):
            if target == "code" and isinstance(given, ast.Constant) and str(given.value).isupper():
                codes.append(str(given.value))
    return codes


def _assigned(line: ast.stmt) -> tuple[list[str], list[ast.expr]]:
    if isinstance(line, ast.AnnAssign) and line.value is not None:
        return [ast.unparse(line.target)], [line.value]
    if not isinstance(line, ast.Assign):
        return [], []
    target = line.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(line.value, ast.Tuple):
        return [ast.unparse(each) for each in target.elts], list(line.value.elts)
    return [ast.unparse(target)], [line.value]


def test_every_error_code_is_declared_exactly_once() -> None:
    declared = _declared()
    assert set(declared) == CONTRACT - LATER
    assert [code for code, times in declared.items() if times > 1] == []


def test_every_error_has_a_message_and_both_statuses() -> None:
    for kind in docs_pages.error_kinds():
        assert 400 <= kind.status <= 503
        assert kind.grpc in GRPC
        assert kind.message.endswith(".")


# rpc.md: the gRPC codes that go with each HTTP status, then those of transport alone
_PAIRS = {
    400: {"INVALID_ARGUMENT"},
    401: {"UNAUTHENTICATED"},
    403: {"PERMISSION_DENIED"},
    404: {"NOT_FOUND"},
    409: {"ALREADY_EXISTS", "FAILED_PRECONDITION", "ABORTED"},
    412: {"ABORTED"},
    422: {"INVALID_ARGUMENT"},
    429: {"RESOURCE_EXHAUSTED"},
    500: {"INTERNAL"},
    503: {"UNAVAILABLE"},
    405: {"UNIMPLEMENTED"},
    408: {"DEADLINE_EXCEEDED"},
    413: {"RESOURCE_EXHAUSTED"},
    **{status: {"INVALID_ARGUMENT"} for status in (414, 415, 421, 431)},
    502: {"UNAVAILABLE"},
}


def test_http_and_grpc_status_belong_together() -> None:
    wrong = {k.code: (k.status, k.grpc) for k in _kinds() if k.grpc not in _PAIRS[k.status]}
    assert wrong == {}


def test_rpc_answers_the_code_of_the_table() -> None:
    for kind in _kinds():
        failure = failures.of(kind(f"A {kind.code}."))
        assert (failure.code.name, failure.message) == (kind.grpc, f"A {kind.code}.")
    unexpected = failures.of(ValueError("postgres://user:secret@host"))
    assert (unexpected.code.name, unexpected.message) == ("INTERNAL", LunaError.message)


def _kinds() -> list[type[LunaError]]:
    """Return every class of errors: some share a code and have another gRPC status."""
    found = [LunaError]
    for kind in found:
        found += kind.__subclasses__()
    return found


def test_documents_list_every_error_code() -> None:
    page = docs_pages.errors_page()
    for code in CONTRACT - LATER:
        assert f"`{code}`" in page


def test_error_messages_reveal_no_internals() -> None:
    for kind in docs_pages.error_kinds():
        for word in ("sql", "traceback", "exception", "postgres", "redis"):
            assert word not in kind.message.lower()
