"""Texts of the notifications in every language."""

from string import Formatter

import pytest

from backend.notification.service import templates

_ENGLISH = templates.LANGUAGES["en"]
_OTHERS = [name for name in templates.LANGUAGES if name != "en"]


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.unit
@pytest.mark.parametrize("language", _OTHERS)
def test_language_has_every_text_with_the_same_values(language: str) -> None:
    texts = templates.LANGUAGES[language]
    assert texts.keys() == _ENGLISH.keys()
    for key, template in texts.items():
        assert template.title.strip(), key
        assert template.message.strip(), key
        assert _values(template.title) == _values(_ENGLISH[key].title), key
        assert _values(template.message) == _values(_ENGLISH[key].message), key


@pytest.mark.unit
def test_missing_robot_and_reason_are_named_in_the_language_of_the_reader() -> None:
    values = {"source": "B-1", "book_title": "Momo", "reference": "D-1", "reason": None}
    assert templates.render("desk.failed", "de", values)[1].startswith(
        "Lieferung D-1 von „Momo“ ist gescheitert: kein Grund angegeben."
    )
    assert templates.render("return.reminder", "de", values)[1].startswith("Ein Roboter wartet")
