"""Refresh tokens: opaque, recognized without a list, each with exactly one successor.

A token is the session's id, a secret, and a code that only this service can compute. The
successor's secret is a keyed hash of the token, so that it can be answered again without being
stored. The database holds digests.
"""

import base64
import binascii
import hmac
import secrets
from uuid import UUID

from backend.shared.errors import NotSignedIn
from backend.shared.web.security import encryption

_ID_LENGTH, _SECRET_LENGTH, _CODE_LENGTH = 16, 32, 16  # bytes


def _build(session_id: UUID, secret: bytes) -> str:
    content = session_id.bytes + secret
    return base64.urlsafe_b64encode(content + _code(content)).decode().rstrip("=")


def _code(content: bytes) -> bytes:
    return encryption.mac("refresh token", content)[:_CODE_LENGTH]


def new(session_id: UUID) -> str:
    """Return the first refresh token of a session."""
    return _build(session_id, secrets.token_bytes(_SECRET_LENGTH))


def session_of(token: str) -> UUID:
    """Return the session of a current or used refresh token; NotSignedIn for any other text."""
    return UUID(bytes=_content(token)[:_ID_LENGTH])


def successor(token: str) -> str:
    """Return the token that `token` is exchanged for, always the same."""
    content = _content(token)
    secret = encryption.mac("refresh successor", content)
    return _build(UUID(bytes=content[:_ID_LENGTH]), secret)


def _content(token: str) -> bytes:
    try:
        data = base64.b64decode(token.encode("ascii") + b"==", altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise NotSignedIn from error
    content, code = data[:-_CODE_LENGTH], data[-_CODE_LENGTH:]
    if len(content) != _ID_LENGTH + _SECRET_LENGTH or not hmac.compare_digest(code, _code(content)):
        raise NotSignedIn
    return content
