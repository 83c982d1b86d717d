"""The authentication service: accounts, sessions, tokens, and the health of the system.

INPUT   an e-mail and a password, a refresh token, or an access token to read and change a profile
OUTPUT  access tokens (RS256, 1 hour) that every service verifies by itself, refresh tokens
        (opaque, 7 days, single use), the public keys, the health of all parts, the API
        documentation; events account.registered, account.session.ended
FLOW    endpoints → service → tables users and sessions → outbox. Password hashes are computed
        before the transaction begins, at most two at a time. Every service reads the state of a
        session from PostgreSQL at most once a second, so an ended session is refused everywhere
        within two seconds (backend.shared.web.security.authentication).
"""

from backend.auth.endpoints import ROUTERS
from backend.shared.web.app import create_app

app = create_app("auth-service", *ROUTERS, summary="Accounts, sessions and tokens")
