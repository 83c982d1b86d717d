"""Mail: by SMTP, or in a local run as files (`LUNA_MAIL_FOLDER`).

Called by consumers of events, never by a request: a failure is retried with the event.
"""

import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from backend.shared.infra import config, ids, logs

_log = logs.get(__name__)
_TIMEOUT = 10.0  # seconds, for each step of the conversation
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def build(to: str, subject: str, text: str, html: str) -> EmailMessage:
    """Return a message with a text and an HTML part."""
    message = EmailMessage()
    message["From"] = config.mail().mail_from
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = make_msgid(domain=urlsplit(config.http().public_url).hostname)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


class MailNotSentError(Exception):
    """A mail server's refusal, without its words: they name the recipient."""


def send(message: EmailMessage) -> None:
    """Send a message; MailNotSentError or OSError when the server does not take it."""
    settings = config.mail()
    if settings.smtp_url is not None:
        try:
            _send_by_smtp(message, urlsplit(settings.smtp_url))
        except smtplib.SMTPException as refused:
            code = getattr(refused, "smtp_code", "no code")
            raise MailNotSentError(f"{type(refused).__name__} ({code})") from None
    elif settings.mail_folder is not None:
        _write(message, settings.mail_folder)
    else:
        _log.warning("mail not sent: LUNA_SMTP_URL is not set")


def _send_by_smtp(message: EmailMessage, url: SplitResult) -> None:
    connect = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    port = url.port or _PORTS[url.scheme]
    with connect(url.hostname or "localhost", port, timeout=_TIMEOUT) as server:
        if url.scheme == "smtp+starttls":
            server.starttls()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message)


def _write(message: EmailMessage, folder: Path) -> None:
    """Write a message as a file; names sort by time."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{ids.uuid7()}.eml"
    path.touch(mode=0o600)
    path.write_bytes(bytes(message))
