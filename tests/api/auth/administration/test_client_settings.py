"""Settings of clients: public; a look that is unreadable or too large is refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from backend.shared.infra.config import BrandSettings
from backend.shared.infra.config.branding import MAX_LOGO_BYTES


def test_client_settings_are_public(api: Any) -> None:
    data = api.get("/api/v1/auth/client-settings").json()["data"]
    brand = {"library_name", "accent_colour", "logo", "welcome"}
    assert set(data) == {*brand, "time_zone", "languages", "registration", "oidc"}
    assert data["oidc"] is False


@pytest.mark.parametrize("colour", ["#1B5FD0", "#767676", "#000000"])
def test_colour_under_readable_white_text_is_accepted(colour: str) -> None:
    assert BrandSettings(accent_colour=colour).accent_colour == colour.lower()


@pytest.mark.parametrize("colour", ["#777777", "#ffcc00", "blue", "#12345", "#12345g"])
def test_colour_under_unreadable_white_text_is_refused(colour: str) -> None:
    with pytest.raises(ValidationError, match="accent colour"):
        BrandSettings(accent_colour=colour)


def test_logo_is_sent_as_the_address_of_an_image(tmp_path: Path) -> None:
    logo = tmp_path / "logo.SVG"
    logo.write_text("<svg/>")
    assert BrandSettings(logo=logo).logo_address == "data:image/svg+xml;base64,PHN2Zy8+"
    assert BrandSettings().logo_address is None


def test_logo_of_another_kind_or_too_large_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "logo.html"
    page.write_text("<script>")
    with pytest.raises(ValidationError, match="a logo is one of"):
        BrandSettings(logo=page)
    large = tmp_path / "logo.png"
    large.write_bytes(bytes(MAX_LOGO_BYTES + 1))
    with pytest.raises(ValidationError, match="at most"):
        BrandSettings(logo=large)
