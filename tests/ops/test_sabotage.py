"""`luna test sabotage` finds each protection that it switches off."""

from pathlib import Path

import pytest

from ops.commands import sabotage
from ops.home import ROOT

CUTS = [cut for protection in sabotage.PROTECTIONS for cut in protection.cuts]


def test_four_protections_are_switched_off() -> None:
    names = [protection.name for protection in sabotage.PROTECTIONS]
    assert names == ["loading proof", "inbox row", "epoch fence", "stop latch"]
    tests = [test for protection in sabotage.PROTECTIONS for test in protection.tests]
    assert all((ROOT / test).exists() for test in tests)


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.old[:30])
def test_protection_is_where_the_command_expects_it(cut: sabotage.Cut) -> None:
    assert (ROOT / cut.file).read_text(encoding="utf-8").count(cut.old) == 1


def test_protection_that_has_moved_is_reported(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("other = 1\n")
    with pytest.raises(sabotage.SabotageError, match=r"code\.py"):
        sabotage.apply(tmp_path, sabotage.Cut("code.py", "protection()", ""))
