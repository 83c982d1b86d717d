"""The pages name every type of message in both of their languages."""

import json
from pathlib import Path

import pytest

from backend.notification.service import preferences

TEXTS = Path(__file__).parents[3] / "web" / "packages" / "i18n" / "src"


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_type_of_message_has_a_name(language: str) -> None:
    texts = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))
    assert [kind for kind in preferences.types() if f"message.{kind}" not in texts] == []
