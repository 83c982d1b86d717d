"""References of deliveries: short codes that people read to each other."""

import secrets

import pytest

from backend.shared.infra import ids


@pytest.mark.parametrize(
    ("number", "reference"),
    [(0, "AAAAAAA"), (1, "BAAAAAA"), (29, "ABAAAAA"), (29**7 - 1, "9999999")],
)
def test_each_number_is_a_reference_of_seven_characters(
    monkeypatch: pytest.MonkeyPatch, number: int, reference: str
) -> None:
    def draw(below: int) -> int:
        assert below == 29**7
        return number

    monkeypatch.setattr(secrets, "randbelow", draw)

    assert ids.reference() == reference


def test_references_leave_out_letters_that_are_easily_confused() -> None:
    used = set("".join(ids.reference() for _ in range(1000)))

    assert used == set("ABCDEFGHJKMNPQRTUVWXYZ2346789")
