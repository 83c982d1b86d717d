"""Production refuses unsafe settings by name."""

from types import SimpleNamespace

import pytest

from backend.shared.infra import config
from backend.shared.infra.config import safety
from backend.shared.web.security import jwks

_SAFE = {
    "LUNA_ENVIRONMENT": "production",
    "LUNA_DATABASE_URL": "postgresql+psycopg2://luna_app:a-long-password-1@db/luna",
    "LUNA_DATABASE_OWNER_URL": "postgresql+psycopg2://luna_owner:a-long-password-2@db/luna",
}
_CONCERNS = ("process", "database", "auth", "http")


@pytest.fixture(scope="module")
def strong_key() -> str:
    return jwks.generate()


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch, strong_key: str) -> pytest.MonkeyPatch:
    for name in ("LUNA_CLOCK_FILE", "LUNA_AUTH_PRIVATE_KEY_FILE", "LUNA_AUTH_PUBLIC_KEYS_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (_SAFE | {"LUNA_AUTH_PRIVATE_KEY": strong_key}).items():
        monkeypatch.setenv(name, value)
    # Only the check reads the changed environment: services of other tests run on in this process.
    uncached = {name: getattr(config, name).__wrapped__ for name in _CONCERNS}
    monkeypatch.setattr(safety, "config", SimpleNamespace(**{**vars(config), **uncached}))
    return monkeypatch


def test_production_starts_with_safe_settings(production: pytest.MonkeyPatch) -> None:
    safety.refuse_unsafe()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LUNA_CLOCK_FILE", "clock"),
        ("LUNA_ALLOWED_ORIGINS", "https://a.example, *"),
        ("LUNA_REVOCATION_DELAY", "PT10M"),
        ("LUNA_REVOCATION_DELAY", "PT2.1S"),
        ("LUNA_REFRESH_TOKEN_LIFE", "P30D"),
        ("LUNA_ACCESS_TOKEN_LIFE", "P1D"),
        ("LUNA_DATABASE_URL", "postgresql+psycopg2://luna_app:luna_app@db/luna"),
        ("LUNA_DATABASE_URL", "postgresql+psycopg2://luna_app:changeme@db/luna"),
        ("LUNA_DATABASE_URL", "postgresql+psycopg2://luna_app:short-1@db/luna"),
        ("LUNA_DATABASE_OWNER_URL", "postgresql+psycopg2://luna_owner:luna_owner@db/luna"),
        ("LUNA_DATABASE_OWNER_URL", "postgresql+psycopg2://luna_owner:a-long-password-1@db/luna"),
    ],
)
def test_production_refuses_unsafe_value(
    production: pytest.MonkeyPatch, name: str, value: str
) -> None:
    production.setenv(name, value)
    with pytest.raises(config.UnsafeSetting, match=name):
        safety.refuse_unsafe()
    production.setenv("LUNA_ENVIRONMENT", "development")
    safety.refuse_unsafe()


def test_production_refuses_short_rsa_key(production: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).private_bytes(  # noqa: S505 (refused below)
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    production.setenv("LUNA_AUTH_PRIVATE_KEY", weak.decode())
    with pytest.raises(config.UnsafeSetting, match="LUNA_AUTH_PRIVATE_KEY"):
        safety.refuse_unsafe()
