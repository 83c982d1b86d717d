"""Callers with made-up credentials wait for their refusal, one after the other."""

import pytest

from backend.shared.web.security.rate_limits import RefusalQueue


def test_few_refusals_are_immediate_and_a_flood_waits_in_line() -> None:
    queue = RefusalQueue(per_second=10, at_once=3, longest=1.0)
    delays = [queue.seconds_until_turn(now=100.0) for _ in range(20)]
    assert delays[:3] == [0, 0, 0]
    assert delays[3:6] == pytest.approx([0.1, 0.2, 0.3])
    assert delays[-1] == pytest.approx(1.0)  # the longest wait
    assert queue.seconds_until_turn(now=102.0) == 0  # the line is empty again
