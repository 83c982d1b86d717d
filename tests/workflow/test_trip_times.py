"""The ranges of arrivals, measured on the last trips."""

import pytest

from backend.shared.domain.eta.trip_times import Spread, TripTimes

pytestmark = pytest.mark.unit
SPREAD = Spread(early=10.0, usual=60.0, late=240.0)


def test_range_leaves_out_one_trip_in_twenty_at_each_end() -> None:
    spread = Spread.measured([float(each) for each in range(1, 100)])
    assert spread == Spread(5.0, 50.0, 95.0)


def test_few_trips_measure_nothing() -> None:
    assert Spread.measured([1.0] * 9) is None


def test_time_that_has_passed_leaves_less_but_never_nothing() -> None:
    assert SPREAD.after(30) == Spread(0.0, 30.0, 210.0)
    late = SPREAD.after(600)
    assert (late.usual, late.late) == (15.0, 30.0)


def test_robot_ahead_of_its_way_keeps_the_whole_delay() -> None:
    assert SPREAD.after(-5) == SPREAD


def test_delay_is_a_share_of_the_drive_until_it_is_measured() -> None:
    assert TripTimes(SPREAD, None).delay_of(100) == Spread(-20.0, 0.0, 40.0)
    assert TripTimes(SPREAD, SPREAD).delay_of(100) == SPREAD
