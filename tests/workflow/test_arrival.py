"""What is said about an arrival: never much later without a reason."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.shared.domain import eta
from backend.shared.domain.eta import Arrival
from backend.shared.models import DeliveryTask, EtaReason

pytestmark = pytest.mark.unit
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def _arrival(expected: float, earliest: float = 0, latest: float | None = None) -> Arrival:
    """Build an arrival from minutes."""
    late = expected + 3 if latest is None else latest
    return Arrival(*(NOW + timedelta(minutes=each) for each in (earliest, expected, late)))


def test_first_prediction_is_said_as_it_is() -> None:
    assert eta.revise(None, _arrival(5)) == (_arrival(5), False)


def test_small_delay_is_said_without_a_reason_but_not_beyond_the_latest_time() -> None:
    arrival, is_late = eta.revise(_arrival(5, latest=8), _arrival(6.5, latest=12))
    assert (arrival.expected, arrival.latest, is_late) == (
        NOW + timedelta(minutes=6.5),
        NOW + timedelta(minutes=8),
        False,
    )


def test_delay_above_two_minutes_needs_a_reason() -> None:
    assert eta.revise(_arrival(5, latest=20), _arrival(7.1)) == (_arrival(7.1), True)


def test_delay_beyond_the_latest_time_needs_a_reason() -> None:
    assert eta.revise(_arrival(5, latest=6), _arrival(6.1)) == (_arrival(6.1), True)


@given(st.lists(st.floats(0, 120), min_size=1, max_size=30))
def test_delays_never_add_up_beyond_the_latest_time_without_a_reason(minutes: list[float]) -> None:
    said, promised = None, None
    for each in minutes:
        said, is_late = eta.revise(said, _arrival(each))
        promised = said.latest if promised is None or is_late else min(promised, said.latest)
        assert said.expected <= promised


@given(st.lists(st.one_of(st.none(), st.floats(0, 120)), min_size=1, max_size=30))
def test_task_is_never_said_much_later_without_a_reason(minutes: list[float | None]) -> None:
    """None: for a while nothing can be predicted."""
    task = DeliveryTask()
    for each in minutes:
        before, task.eta_reason = task.eta, None
        eta.say(task, _arrival(each) if each is not None else None, EtaReason.SLOWER)
        if before is not None:
            assert task.eta is not None
            assert task.eta - before <= eta.MAX_SILENT_DELAY or task.eta_reason


@pytest.mark.parametrize(("minutes", "reason"), [(8.1, None), (12, EtaReason.SLOWER)])
def test_range_that_ends_later_needs_a_reason(minutes: float, reason: EtaReason | None) -> None:
    task = DeliveryTask()
    eta.say(task, _arrival(5, latest=8), EtaReason.SLOWER)
    eta.say(task, _arrival(5, latest=minutes), EtaReason.SLOWER)
    assert (task.eta_latest, task.eta_reason) == (NOW + timedelta(minutes=minutes), reason)
