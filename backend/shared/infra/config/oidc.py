"""Campus sign-in by OpenID Connect."""

from pydantic import field_validator

from backend.shared.infra.config.base import LunaSettings, UnsafeSetting


class OidcSettings(LunaSettings):
    oidc_issuer: str | None = None  # unset: no campus sign-in
    oidc_client_id: str = ""
    oidc_client_secret: str = ""

    @field_validator("oidc_issuer")
    @classmethod
    def _is_an_address(cls, issuer: str | None) -> str | None:
        if issuer and not issuer.startswith(("https://", "http://localhost", "http://127.0.0.1")):
            raise UnsafeSetting("LUNA_OIDC_ISSUER must begin with https://")
        return issuer or None
