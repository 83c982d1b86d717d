"""Settings by the names that the project's sources use, where LUNA's own are not set.

DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD make LUNA_DATABASE_URL; GRPC_PORT makes
LUNA_GRPC_LISTEN on all addresses of a container.
"""

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


def _database_url() -> str | None:
    host = os.environ.get("DB_HOST")
    if not host:
        return None
    given = {
        name: os.environ.get(f"DB_{name}", "") for name in ("PORT", "NAME", "USER", "PASSWORD")
    }
    user = quote(given["USER"] or "luna", safe="")
    password = f":{quote(given['PASSWORD'], safe='')}" if given["PASSWORD"] else ""
    name = quote(given["NAME"] or "luna", safe="")
    return f"postgresql+psycopg2://{user}{password}@{host}:{given['PORT'] or '5432'}/{name}"


def _grpc_listen() -> str | None:
    port = os.environ.get("GRPC_PORT")
    return f"0.0.0.0:{port}" if port else None


_READERS: dict[str, Callable[[], str | None]] = {
    "database_url": _database_url,
    "grpc_listen": _grpc_listen,
}


class SourceNames(PydanticBaseSettingsSource):
    """Read the settings that have another name in the sources."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field
        reader = _READERS.get(field_name)
        return (reader() if reader is not None else None, field_name, False)

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in found.items() if value is not None}
