"""`.env.example` documents every setting with its default."""

import inspect
import re

import pytest

from backend.shared.infra import config
from ops.home import ROOT
from ops.servers import environment, nginx

EXAMPLE = environment.read_dotenv(ROOT / ".env.example")
NAMES = set(re.findall(r"^#?(LUNA_\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
CLASSES = [
    found
    for _, found in inspect.getmembers(config, inspect.isclass)
    if issubclass(found, config.LunaSettings) and found is not config.LunaSettings
]
REQUIRED = {
    "LUNA_DATABASE_URL": "postgresql+psycopg2:///luna",
    "LUNA_REDIS_URL": "unix:///redis.sock",
}


@pytest.mark.parametrize("settings", CLASSES, ids=lambda found: found.__name__)
def test_every_setting_is_documented_with_its_default(
    settings: type[config.LunaSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = settings.model_fields
    for name in fields:
        variable = f"LUNA_{name.upper()}"
        assert variable in NAMES or f"{variable}_FILE" in NAMES, f"{variable} is not documented"
        monkeypatch.delenv(variable, raising=False)
    for needed, url in REQUIRED.items():
        monkeypatch.setenv(needed, url)
    by_default = settings()
    for name in fields:
        if value := EXAMPLE.get(f"LUNA_{name.upper()}"):
            monkeypatch.setenv(f"LUNA_{name.upper()}", value)
    assert settings() == by_default


def test_gateway_settings_are_documented_with_their_defaults() -> None:
    for name, value in nginx.DEFAULTS.items():
        assert name in NAMES
        assert EXAMPLE.get(name, "") == value
