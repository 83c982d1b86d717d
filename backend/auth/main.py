"""The authentication service: accounts, sessions and tokens; and what LUNA tells of itself.

INPUT   an e-mail and a password, a refresh token, or an access token to change one's own profile.
OUTPUT  access tokens (RS256, 1 hour) that every service verifies by itself, refresh tokens
        (opaque, 7 days, each good for one use), the public keys, the health of all parts, the
        API's documentation. Events: account.registered, account.session.ended.
FLOW    endpoints → service and sessions → tables users and sessions → outbox. Passwords are
        hashed two at a time before a transaction begins, so that signing in starves nothing else.
        A session that ends is refused by all services within two seconds, because each of them
        asks the table at most a second late (backend.shared.web.authentication).
"""

from backend.auth.endpoints import accounts, system
from backend.shared.web.app import create_app

app = create_app(
    "auth-service",
    accounts.router,
    system.router,
    summary="Accounts, sessions and tokens",
)
