"""Statements that each connection prepares once."""

import pytest

from backend.shared.infra import database
from backend.shared.infra.database import PREPARED, Prepared


def test_two_statements_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(PREPARED, "some_numbers", raising=False)
    Prepared("some_numbers", "SELECT 1")
    with pytest.raises(ValueError, match="some_numbers"):
        Prepared("some_numbers", "SELECT 2")


def test_statement_sees_its_parameters_and_what_ran_before_it(
    clean: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("remember", "recall"):
        monkeypatch.delitem(PREPARED, name, raising=False)
    remember = Prepared("remember", "SELECT set_config('luna.seen', :seen, true)")
    recall = Prepared("recall", "SELECT current_setting('luna.seen') || :more || :seen AS text")
    for seen in ("a", "b'c"):  # prepared at the first, and only run at the second
        with database.transaction() as session:
            row = recall.run(session, {"seen": seen, "more": "::"}, after=remember).one()
        assert row.text == f"{seen}::{seen}"
