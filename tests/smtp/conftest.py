"""A real SMTP server on loopback that keeps what it receives."""

import email
import email.policy
import re
import socket
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from backend.shared.infra import config
from ops.commands import mails
from ops.home import Home


class Mailbox:
    """The messages received, newest last; refuses them while `refuses` is set."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refuses = False

    async def handle_DATA(  # noqa: N802 (the name that aiosmtpd calls)
        self, _server: SMTP, _session: Any, envelope: Any
    ) -> str:
        if self.refuses:
            return "451 try again later"
        content = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(content, EmailMessage)
        assert content["To"] == envelope.rcpt_tos[0]
        self.messages.append(content)
        return "250 accepted"

    def last(self) -> tuple[EmailMessage, str]:
        """Return the newest message and its text."""
        message = self.messages[-1]
        part = message.get_body(preferencelist=("plain",))
        assert part is not None
        return message, part.get_content()

    def token(self) -> str:
        """Return the token of the link in the newest message."""
        found = re.search(r"#token=([\w-]+)", self.last()[1])
        assert found
        return found[1]


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """Receive what LUNA sends by SMTP."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings = config.mail().model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"})
    monkeypatch.setattr(config, "mail", lambda: settings)
    yield box
    controller.stop()


@pytest.fixture
def published_mails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], list[str]]:
    """Keep mails as files, as a local run does; return what `luna mail` shows of each."""
    home = Home(tmp_path)
    settings = config.mail().model_copy(update={"mail_folder": tmp_path / "mail"})
    monkeypatch.setattr(config, "mail", lambda: settings)

    def shown() -> list[str]:
        files = sorted((home.path / "mail").glob("*.eml"))
        return [mails.rendered(path) for path in files]

    return shown
