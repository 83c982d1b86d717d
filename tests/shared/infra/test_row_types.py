"""The types that readers give to rows of wide selects: mypy trusts them, so they are compared."""

from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import NullType

from backend.book import queries as book_queries
from backend.book.service.loan_reads import HoldRow, LoanRow
from backend.delivery import queries as delivery_queries
from backend.delivery.service import actions
from backend.delivery.service.read_models import AlertRow, DeliveryRow, RequestRow, ReturnRow
from backend.robot import queries as robot_queries
from backend.robot.bridge_protocol import robot_states
from backend.robot.service.dispatch import RobotRow, WaitingRow
from backend.shared.infra import clock
from backend.shared.web.pagination import AnySelect

ROWS: dict[type, AnySelect] = {
    LoanRow: book_queries.loans(now=clock.now()),
    HoldRow: book_queries.holds(),
    RequestRow: delivery_queries.requests(),
    ReturnRow: delivery_queries.returns(),
    DeliveryRow: delivery_queries.tasks(),
    AlertRow: delivery_queries.alerts(),
    actions.TaskState: delivery_queries.tasks(),
    actions.RequestState: delivery_queries.requests(),
    actions.ReturnState: delivery_queries.returns(),
    robot_states.RobotState: robot_states.ONE,
    WaitingRow: robot_queries.waiting_tasks(),
    RobotRow: robot_queries.dispatch_robots(),
}


def _kinds(hint: Any) -> set[Any]:
    """Return the classes of a type hint, without their parameters and without None."""
    parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return {get_origin(part) or part for part in parts} - {type(None)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_row_has_the_names_and_types_of_the_columns(row: type) -> None:
    columns = ROWS[row].selected_columns
    wrong: dict[str, Any] = {}
    for name, hint in get_type_hints(row).items():
        assert name in columns, name
        column = columns[name]
        if isinstance(column.type, NullType):
            continue  # PostgreSQL alone knows it
        kind = dict if isinstance(column.type, JSONB) else column.type.python_type
        if kind not in _kinds(hint):
            wrong[name] = (hint, kind)
        is_optional = type(None) in get_args(hint)
        if getattr(column, "nullable", False) and not is_optional:
            wrong[name] = (hint, "may be NULL")
    assert wrong == {}


@pytest.mark.parametrize("row", [WaitingRow, RobotRow])
def test_named_tuple_has_the_columns_in_their_order(row: Any) -> None:
    assert list(row._fields) == ROWS[row].selected_columns.keys()
