"""The use of the processors, as the kernel tells it."""

from pathlib import Path

import pytest

from backend.shared.infra.telemetry import processor_use

_NOTHING = "cpu  0 0 0 0 0 0 0 0 0 0\n"


@pytest.mark.parametrize(
    ("later", "is_idle"),
    [
        ("cpu  60 0 20 100 20 0 0 0 0 0\ncpu0 1 2 3\n", True),  # waiting for a disk is idle
        ("cpu  60 0 40 90 0 0 0 0 0 0\n", False),
        ("cpu  10 10 10 100 0 10 10 90 0 0\n", False),  # another machine had the processors
        (_NOTHING, False),  # the system does not tell: they may be busy
        ("nothing that is known\n", False),
        (None, False),
    ],
)
def test_processors_are_idle_for_half_of_the_time(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    later: str | None,
    is_idle: bool,  # noqa: FBT001 (a case)
) -> None:
    stat = tmp_path / "stat"
    monkeypatch.setattr(processor_use, "_STAT", stat)
    stat.write_text(_NOTHING)
    use = processor_use.ProcessorUse()
    if later is None:
        stat.unlink()
    else:
        stat.write_text(later)
    assert use.is_mostly_idle() is is_idle


def test_each_look_begins_at_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = tmp_path / "stat"
    monkeypatch.setattr(processor_use, "_STAT", stat)
    stat.write_text(_NOTHING)
    use = processor_use.ProcessorUse()
    seen = []
    for busy, idle in ((90, 10), (100, 100), (190, 110)):
        stat.write_text(f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\n")
        seen.append(use.is_mostly_idle())
    assert seen == [False, True, False]


def test_this_machine_tells_its_use() -> None:
    idle, total = processor_use._read_times()  # noqa: SLF001 (the kernel's own file)
    assert 0 < idle < total
