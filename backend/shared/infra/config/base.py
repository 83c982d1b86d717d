"""The base of all settings: `LUNA_*` environment variables, or files that hold their values."""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from backend.shared.infra.config.source_names import SourceNames


class UnsafeSetting(ValueError):
    """A value that is not allowed in production."""


class _FileSource(PydanticBaseSettingsSource):
    """Read the value of `LUNA_X` from the file named by `LUNA_X_FILE`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field
        path = os.environ.get(f"LUNA_{field_name.upper()}_FILE")
        return (Path(path).read_text().strip() if path else None, field_name, False)

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class LunaSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="LUNA_", frozen=True, extra="ignore")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _FileSource(settings_cls), SourceNames(settings_cls)
