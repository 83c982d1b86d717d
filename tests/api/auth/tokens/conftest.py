"""Run every test of tokens on both libraries."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from backend.shared.web.security import signing, tokens
from tests.api.auth.tokens import pyjwt_signing


@pytest.fixture(autouse=True, params=[signing, pyjwt_signing], ids=["jose", "pyjwt"])
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sign and verify with one of two libraries; keys are loaded anew."""
    library: ModuleType = request.param
    monkeypatch.setattr(tokens, "signing", library)
    _forget_keys()
    yield
    _forget_keys()


def _forget_keys() -> None:
    tokens._signing_key.cache_clear()  # noqa: SLF001 (the keys of a library)
    tokens._key_set.cache_clear()  # noqa: SLF001 (as above)
