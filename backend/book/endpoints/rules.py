"""Endpoints of circulation for staff: `/api/v1/loans/policies`, `/calendar`, `/lists/{name}`."""

from enum import StrEnum
from typing import Annotated

from fastapi import Query, Response

from backend.book.imports import export
from backend.book.schemas.rules import CalendarBody, PoliciesBody
from backend.book.schemas.scanning import StaffListRow
from backend.book.service import rules, staff_lists
from backend.book.service.staff_lists import StaffList
from backend.shared.errors import NotFound, RoleNotAllowed, StaleVersion
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer
from backend.shared.web.pagination import PageDep, paginate
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import AdminDep, StaffDep

router = routing.router("/loans", "loans")
_CSV = {"schema": {"type": "string"}, "example": "id,title,barcode\r\n"}


class ListFormat(StrEnum):
    JSON = "json"
    CSV = "csv"


_READ, _WRITE = responses(RoleNotAllowed), responses(RoleNotAllowed, StaleVersion)


@router.get("/policies", summary="Get the loan policies", responses=_READ)
def get_loan_policies(_: StaffDep, reader: ReadDep, response: Response) -> Answer[PoliciesBody]:
    """Return the rules in effect per role and kind of copy. Role: librarian, admin."""
    found = rules.policies(reader)
    return etags.tagged(response, found, found)


@router.put("/policies", summary="Replace the loan policies", responses=_WRITE)
def replace_loan_policies(
    actor: AdminDep,
    body: PoliciesBody,
    session: SessionDep,
    response: Response,
    if_match: etags.IfMatch = None,
) -> Answer[PoliciesBody]:
    """Set the rules; the settings apply to what is not listed. Role: admin.

    Open loans keep the rules under which they were made.
    """
    etags.check(if_match, rules.policies(session))
    found = rules.replace_policies(session, actor.id, body)
    return etags.tagged(response, found, found)


@router.get("/calendar", summary="Get the calendar", responses=_READ)
def get_calendar(_: StaffDep, reader: ReadDep, response: Response) -> Answer[CalendarBody]:
    """Return opening hours and closed days. Role: librarian, admin."""
    found = rules.calendar(reader)
    return etags.tagged(response, found, found)


@router.put("/calendar", summary="Replace the calendar", responses=_WRITE)
def replace_calendar(
    actor: AdminDep,
    body: CalendarBody,
    session: SessionDep,
    response: Response,
    if_match: etags.IfMatch = None,
) -> Answer[CalendarBody]:
    """Set opening hours and closed days; due dates fall on open days. Role: admin."""
    etags.check(if_match, rules.calendar(session))
    found = rules.replace_calendar(session, actor.id, body)
    return etags.tagged(response, found, found)


@router.get(
    "/lists/{name}",
    summary="List circulation work",
    response_model=PageAnswer[StaffListRow],
    responses={**responses(NotFound, RoleNotAllowed), 200: {"content": {"text/csv": _CSV}}},
)
def list_circulation_work(
    _: StaffDep,
    name: StaffList,
    reader: ReadDep,
    page: PageDep,
    file_format: Annotated[ListFormat, Query(alias="format")] = ListFormat.JSON,
) -> Response | PageAnswer[StaffListRow]:
    """Return what needs work, the most urgent first; `format=csv` is the whole list as a file.

    overdue: open loans past their due date · hold-shelf: copies kept, `to_clear` when their time
    is over · high-demand: titles with waiting members, by holds per copy · never-borrowed: copies
    of a year ago without a loan · missing: missing and lost copies. Each has one order: `due_at`,
    `ready_until`, `waiting_per_copy`, `shelf_location`. Role: librarian, admin.
    """
    if file_format is ListFormat.CSV:
        headers = {"Content-Disposition": f'attachment; filename="{name.value}.csv"'}
        content = export.table(*staff_lists.read_all(reader, name))
        return Response(content, media_type="text/csv", headers=headers)
    return paginate(reader, staff_lists.select_page(name, page), page, StaffListRow)
