"""Authentication service: accounts, sessions, tokens and the system health.

INPUT   e-mail and password, a refresh token, or an access token to read and change a profile
OUTPUT  access tokens (RS256, 1 hour) that every service verifies by itself, refresh tokens
        (opaque, 7 days, single use), the public keys, the health of all components, the API
        documentation; events account.registered, account.session.ended
FLOW    endpoints → service → tables users and sessions → outbox. Password hashes are computed
        before the transaction begins, at most two at a time. Every service reads the state of a
        session from PostgreSQL at most once a second, so all of them refuse an ended session
        within two seconds (backend.shared.web.security.authentication).
"""

from backend.auth.endpoints import ROUTERS
from backend.auth.rpc import RPC
from backend.shared.web.app import create_app

app = create_app("auth-service", *ROUTERS, summary="Accounts, sessions and tokens", rpc=RPC)
