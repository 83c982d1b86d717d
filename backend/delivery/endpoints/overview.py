"""Endpoints of `/deliveries`: the pick list, the figures, the floor plans."""

from typing import Annotated, Any, NamedTuple

from fastapi import Query, Response
from sqlalchemy import Row, literal, select

from backend.delivery import queries
from backend.delivery.schemas.analytics import AnalyticsRead, FileFormat, FloorRead, FloorsRead
from backend.delivery.schemas.deliveries import PickRead
from backend.delivery.service import analytics, pick_list
from backend.shared.infra import clock, config
from backend.shared.models import Copy, DeliveryTask, FleetState, FloorPlan
from backend.shared.web import cursors, routing
from backend.shared.web.database_session import ReadDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.pagination import PageDep, PageQuery, ordered, page_of, paginate_rows
from backend.shared.web.schemas import Instant
from backend.shared.web.security.authentication import AnyoneDep, StaffDep

router = routing.router("/deliveries", "deliveries")
_WALK = "sequence"


class _End(NamedTuple):
    """What a cursor holds of a row."""

    cursor_sort: str
    cursor_key: int
    cursor_id: str


_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.get("/pick-list", summary="List books to fetch")
def list_books_to_fetch(reader: ReadDep, _: StaffDep, page: PageDep) -> PageAnswer[PickRead]:
    """Role: librarian. In walking order; or sort by `shelf_location` or `created_at`.

    `batch` is the trip in which a book is carried.
    """
    steps = pick_list.read_walk(reader)

    def read(row: Row[*tuple[Any, ...]]) -> PickRead:
        step = steps.get(row.task_id)
        place = (step.sequence, step.batch) if step is not None else (None, None)
        return PickRead.model_validate({**row._asdict(), "sequence": place[0], "batch": place[1]})

    if page.sort is None:
        return _in_walking_order([read(row) for row in reader.execute(queries.pick_list())], page)
    columns = {"shelf_location": Copy.shelf_location, "created_at": DeliveryTask.created_at}
    statement = ordered(
        queries.pick_list(), page, columns, default="shelf_location", tiebreak=DeliveryTask.id
    )
    return paginate_rows(reader, statement, page, read)


def _in_walking_order(picks: list[PickRead], page: PageQuery) -> PageAnswer[PickRead]:
    def key(pick: PickRead) -> tuple[int, str]:
        return pick.sequence or 0, str(pick.task_id)

    picks.sort(key=key)
    if page.cursor is not None:
        last = cursors.decode(page.cursor, _WALK, literal(0))
        picks = [pick for pick in picks if key(pick) > (int(last.key or 0), last.id)]
    shown = picks[page.offset : page.offset + page.limit]
    ends = [_End(_WALK, *key(pick)) for pick in shown]
    return page_of(shown, page, len(picks), ends)


@router.get(
    "/analytics", summary="Get figures", response_model=Answer[AnalyticsRead], responses=_CSV
)
def get_delivery_figures(
    reader: ReadDep,
    _: StaffDep,
    since: Annotated[Instant | None, Query(alias="from", description="Created at or after")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Created before")] = None,
    file_format: Annotated[FileFormat, Query(alias="format")] = FileFormat.JSON,
) -> Response | Answer[AnalyticsRead]:
    """Role: librarian. Times, failures by cause, per robot, hour and place; also as CSV."""
    figures = analytics.read(reader, since, until, clock.now(), config.http().time_zone)
    if file_format is FileFormat.CSV:
        headers = {"Content-Disposition": 'attachment; filename="deliveries.csv"'}
        return Response(analytics.as_csv(figures), media_type="text/csv", headers=headers)
    return answer(AnalyticsRead.model_validate(figures))


@router.get("/floors", summary="List floor plans")
def list_floors(reader: ReadDep, _: AnyoneDep) -> Answer[FloorsRead]:
    """Role: all. The plans on which clients draw robots."""
    version = reader.execute(select(FleetState.map_version)).scalar_one()
    plans = reader.execute(
        select(FloorPlan.floor, FloorPlan.name, FloorPlan.svg, FloorPlan.plan).order_by(
            FloorPlan.floor
        )
    )
    floors = [
        FloorRead.model_validate({**row.plan, "floor": row.floor, "name": row.name, "svg": row.svg})
        for row in plans
    ]
    return answer(FloorsRead(version=version, floors=floors))
