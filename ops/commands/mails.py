"""`luna mail`: show the mails that a local run has written to `.luna/mail/`."""

import email
import email.policy
import re
import sys
from pathlib import Path

from ops.home import Home

_LINK = re.compile(r"https?://\S+")


def show(home: Home, count: int) -> int:
    """Print the newest mails, each with its links; return 1 when there is none."""
    files = sorted((home.path / "mail").glob("*.eml"), reverse=True)[:count]
    if not files:
        print("No mail has been sent here yet.", file=sys.stderr)
        return 1
    for path in files:
        print(rendered(path))
    return 0


def rendered(path: Path) -> str:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    part = message.get_body(preferencelist=("plain", "html"))
    text = part.get_content().strip() if part is not None else ""
    headers = [f"{name}: {message[name]}" for name in ("To", "Subject", "Date")]
    links = [f"Link: {link}" for link in dict.fromkeys(_LINK.findall(text))]
    return "\n".join([*headers, *links, "", text, ""])
