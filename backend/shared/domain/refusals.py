"""Why something can't be done: stable codes, all at once, and the names of actions.

The only table of reasons (docs/errors.md lists it). A refused write raises the error of its first
reason, with all of them in `details.reasons`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from backend.shared.errors import (
    AccountInactive,
    AlreadyRequested,
    BookNotAvailable,
    Conflict,
    HoldExists,
    LoanLimitReached,
    LunaError,
    RenewalLimitReached,
)


class Reason(StrEnum):
    """A stable code; its text is in REASONS."""

    MEMBER_INACTIVE = "MEMBER_INACTIVE"
    LIMIT_LOANS = "LIMIT_LOANS"
    LIMIT_OVERDUE = "LIMIT_OVERDUE"
    LIMIT_HOLDS = "LIMIT_HOLDS"
    NO_COPY_AVAILABLE = "NO_COPY_AVAILABLE"
    COPY_AVAILABLE = "COPY_AVAILABLE"
    COPY_ON_LOAN = "COPY_ON_LOAN"
    COPY_RESERVED = "COPY_RESERVED"
    COPY_ON_ROBOT = "COPY_ON_ROBOT"
    COPY_NOT_ON_LOAN = "COPY_NOT_ON_LOAN"
    COPY_ON_SHELF = "COPY_ON_SHELF"
    HELD_FOR_OTHER = "HELD_FOR_OTHER"
    NOT_LOANABLE = "NOT_LOANABLE"
    NOT_TRANSPORTABLE = "NOT_TRANSPORTABLE"
    COPY_WITHDRAWN = "COPY_WITHDRAWN"
    NO_COPIES = "NO_COPIES"
    HOLD_EXISTS = "HOLD_EXISTS"
    HOLD_CLOSED = "HOLD_CLOSED"
    HOLD_READY = "HOLD_READY"
    HOLD_NOT_READY = "HOLD_NOT_READY"
    ON_THE_WAY = "ON_THE_WAY"
    ALREADY_BORROWED = "ALREADY_BORROWED"
    ALREADY_REQUESTED = "ALREADY_REQUESTED"
    LOAN_CLOSED = "LOAN_CLOSED"
    LOAN_LOST = "LOAN_LOST"
    LOAN_CLAIMED = "LOAN_CLAIMED"
    LOAN_NOT_CLAIMED = "LOAN_NOT_CLAIMED"
    MAX_RENEWALS = "MAX_RENEWALS"
    OTHERS_WAITING = "OTHERS_WAITING"
    TOO_EARLY = "TOO_EARLY"
    RETURN_IN_PROGRESS = "RETURN_IN_PROGRESS"


@dataclass(frozen=True)
class _Text:
    message: str
    error: type[LunaError] = Conflict
    can_override: bool = False


_R = Reason
REASONS: Mapping[Reason, _Text] = {
    _R.MEMBER_INACTIVE: _Text("The member's account is not active.", AccountInactive),
    _R.LIMIT_LOANS: _Text("The limit of loans is reached.", LoanLimitReached, can_override=True),
    _R.LIMIT_OVERDUE: _Text("Too many loans are overdue.", can_override=True),
    _R.LIMIT_HOLDS: _Text("The limit of holds is reached.", can_override=True),
    _R.NO_COPY_AVAILABLE: _Text("No copy is available at the moment.", BookNotAvailable),
    _R.COPY_AVAILABLE: _Text("A copy is available: request or borrow it."),
    _R.COPY_ON_LOAN: _Text("The copy is already on loan.", BookNotAvailable),
    _R.COPY_RESERVED: _Text("The copy is reserved for a request.", BookNotAvailable),
    _R.COPY_ON_ROBOT: _Text("The copy is on a robot.", BookNotAvailable),
    _R.COPY_NOT_ON_LOAN: _Text("The copy is not on loan."),
    _R.COPY_ON_SHELF: _Text("The copy is on its shelf."),
    _R.HELD_FOR_OTHER: _Text(
        "The copy is kept for another member.", BookNotAvailable, can_override=True
    ),
    _R.NOT_LOANABLE: _Text(
        "The copy is not for loan in its condition.", BookNotAvailable, can_override=True
    ),
    _R.NOT_TRANSPORTABLE: _Text("A robot cannot carry the copy.", BookNotAvailable),
    _R.COPY_WITHDRAWN: _Text("The copy is withdrawn.", BookNotAvailable),
    _R.NO_COPIES: _Text("The book has no copy for loan."),
    _R.HOLD_EXISTS: _Text("There is already a hold on this book.", HoldExists),
    _R.HOLD_CLOSED: _Text("The hold is closed."),
    _R.HOLD_READY: _Text("A copy is kept for this hold already."),
    _R.HOLD_NOT_READY: _Text("No copy is kept for this hold yet."),
    _R.ON_THE_WAY: _Text("The copy is on its way: cancel the request first."),
    _R.ALREADY_BORROWED: _Text("The member has this book on loan.", can_override=True),
    _R.ALREADY_REQUESTED: _Text("The book has already been requested.", AlreadyRequested),
    _R.LOAN_CLOSED: _Text("The loan is closed."),
    _R.LOAN_LOST: _Text("The copy has been reported lost."),
    _R.LOAN_CLAIMED: _Text("The member says that the copy was returned."),
    _R.LOAN_NOT_CLAIMED: _Text("The copy is neither lost nor claimed returned."),
    _R.MAX_RENEWALS: _Text(
        "The limit of renewals is reached.", RenewalLimitReached, can_override=True
    ),
    _R.OTHERS_WAITING: _Text("Other members wait for this book.", can_override=True),
    _R.TOO_EARLY: _Text("A renewal would not move the due date.", can_override=True),
    _R.RETURN_IN_PROGRESS: _Text("A return of this loan is in progress."),
}


class ActionName(StrEnum):
    """What a client may offer on a book, a copy, a loan or a hold."""

    REQUEST = "REQUEST"
    PLACE_HOLD = "PLACE_HOLD"
    CHECK_OUT = "CHECK_OUT"
    CHECK_IN = "CHECK_IN"
    SHELVE = "SHELVE"
    WITHDRAW = "WITHDRAW"
    RENEW = "RENEW"
    RETURN = "RETURN"
    REPORT_LOST = "REPORT_LOST"
    CLAIM_RETURNED = "CLAIM_RETURNED"
    MARK_FOUND = "MARK_FOUND"
    SUSPEND = "SUSPEND"
    CANCEL_HOLD = "CANCEL_HOLD"


ACTIONS: Mapping[ActionName, str] = {
    ActionName.REQUEST: "Have a robot bring a copy (`POST /requests`).",
    ActionName.PLACE_HOLD: "Join the queue (`POST /holds`).",
    ActionName.CHECK_OUT: "Lend at the desk (`POST /loans`).",
    ActionName.CHECK_IN: "Take back at the desk (`POST /loans/check-in`).",
    ActionName.SHELVE: "Put on a shelf (`PUT /books/{id}/copies/{copy_id}/shelve`).",
    ActionName.WITHDRAW: "Withdraw the copy (`DELETE /books/{id}/copies/{copy_id}`).",
    ActionName.RENEW: "Renew the loan (`PUT /loans/{id}/renew`).",
    ActionName.RETURN: "Have a robot fetch the book (`POST /returns`).",
    ActionName.REPORT_LOST: "Record that the copy is lost (`PUT /loans/{id}/lost`).",
    ActionName.CLAIM_RETURNED: "Record the member's claim (`PUT /loans/{id}/claimed-returned`).",
    ActionName.MARK_FOUND: "Record that the copy was found (`PUT /loans/{id}/found`).",
    ActionName.SUSPEND: "Suspend the hold (`PUT /holds/{id}/suspend`).",
    ActionName.CANCEL_HOLD: "Leave the queue (`DELETE /holds/{id}`).",
}


def as_json(reasons: Iterable[Reason]) -> list[dict[str, str]]:
    """Return reasons as clients see them: `[{code, message}]`."""
    return [{"code": each.value, "message": REASONS[each].message} for each in reasons]


def refuse(reasons: Sequence[Reason], **details: object) -> None:
    """Raise the error of the first reason, with all of them; nothing without a reason."""
    if reasons:
        text = REASONS[reasons[0]]
        messages = " ".join(REASONS[each].message for each in reasons)
        raise text.error(messages, reasons=as_json(reasons), **details)


def not_overridden(reasons: Sequence[Reason], overridden: Iterable[str]) -> list[Reason]:
    """Return the reasons that stay when staff override the codes that may be overridden."""
    names = set(overridden)
    return [each for each in reasons if not (REASONS[each].can_override and each.value in names)]
