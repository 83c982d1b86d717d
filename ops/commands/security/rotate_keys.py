"""`luna keys rotate`: rotate the signing key without an outage.

Runs where both key files are: the environment names them, as for the auth service.
"""

import argparse
import os
from pathlib import Path

from backend.shared.domain import audit
from backend.shared.infra import database
from backend.shared.web.security import jwks
from ops.console import console


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--revoke", action="store_true", help="refuse the tokens of older keys")
    revoke: bool = options.parse_args().revoke
    private, public = (
        Path(os.environ[f"LUNA_AUTH_{name}_FILE"]) for name in ("PRIVATE_KEY", "PUBLIC_KEYS")
    )
    kid = jwks.rotate(private, public, revoke=revoke)
    with database.transaction() as session:
        audit.record(
            session,
            actor_id=None,
            action="signing_key.rotated",
            resource=("signing_key", kid),
            changes={"revoked_older": revoke},
        )
    console.print(f"Tokens are signed with key {kid} from now on.")


if __name__ == "__main__":
    main()
