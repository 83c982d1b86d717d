"""How the library looks in the applications: name, accent colour, logo and welcome."""

import base64
import re
from functools import cached_property
from pathlib import Path

from pydantic import field_validator

from backend.shared.infra.config.base import LunaSettings, UnsafeSetting

MAX_LOGO_BYTES = 64 * 1024
_MIN_CONTRAST = 4.5  # of white text on the accent colour (WCAG 2.2, 1.4.3)
_LINEAR_PART = 0.04045  # of sRGB
_LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}


class BrandSettings(LunaSettings):
    library_name: str = "LUNA"
    accent_colour: str | None = None  # six hexadecimal digits after #; LUNA's blue when unset
    logo: Path | None = None  # an SVG, PNG or WebP file of at most 64 KiB
    welcome_en: str = ""  # shown on the sign-in page instead of LUNA's text
    welcome_de: str = ""

    @field_validator("accent_colour")
    @classmethod
    def _is_readable(cls, colour: str | None) -> str | None:
        if not colour:
            return None
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
            raise UnsafeSetting("an accent colour is written as #rrggbb")
        contrast = 1.05 / (_luminance(colour) + 0.05)
        if contrast < _MIN_CONTRAST:
            raise UnsafeSetting(
                f"white text on {colour} has a contrast of {contrast:.1f}: 1, "
                f"at least {_MIN_CONTRAST} is needed; choose a darker accent colour"
            )
        return colour.lower()

    @field_validator("logo")
    @classmethod
    def _is_image(cls, logo: Path | None) -> Path | None:
        if logo is None or logo == Path():
            return None
        if logo.suffix.lower() not in _LOGO_TYPES:
            raise UnsafeSetting(f"a logo is one of {', '.join(_LOGO_TYPES)}")
        if logo.stat().st_size > MAX_LOGO_BYTES:
            raise UnsafeSetting(f"a logo has at most {MAX_LOGO_BYTES} bytes")
        return logo

    @cached_property
    def logo_address(self) -> str | None:
        """The logo as a `data:` address: shown as an image, its scripts can never run."""
        if self.logo is None:
            return None
        content = base64.b64encode(self.logo.read_bytes()).decode()
        return f"data:{_LOGO_TYPES[self.logo.suffix.lower()]};base64,{content}"


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2), 0 to 1."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    if channel <= _LINEAR_PART:
        return channel / 12.92
    return float(((channel + 0.055) / 1.055) ** 2.4)
