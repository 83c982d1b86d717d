"""Connections of the pool for threads."""

import pytest

from backend.shared.infra import database


@pytest.mark.parametrize("level", ["SERIALIZABLE", "REPEATABLE READ", "READ UNCOMMITTED"])
def test_isolation_level_that_would_be_ignored_is_refused(clean: None, level: str) -> None:
    engine = database.engine().execution_options(isolation_level=level)
    with pytest.raises(ValueError, match=level), engine.connect():
        pass


def test_connection_is_in_a_transaction_again_after_a_read(clean: None) -> None:
    with database.reading_engine().connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        assert driver.autocommit
    assert not driver.autocommit
