"""Mails about an account: which event sends which mail, and the links in them.

A token is made when the mail is sent and stored as a digest, so neither the outbox nor the
database holds it. Links carry it after `#`, which browsers send to no server.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from sqlalchemy.orm import Session

from backend.auth.service import account_tokens
from backend.shared import events
from backend.shared.events import Event
from backend.shared.infra import config
from backend.shared.messaging import mail
from backend.shared.models import TokenPurpose, User

_TEMPLATES = Path(__file__).with_name("mail_templates")
_SET_PASSWORD = "reset-password"  # noqa: S105 (a page)


@dataclass(frozen=True)
class MailSpec:
    """A template, and the page and token of its link."""

    template: str
    subject: str
    page: str
    purpose: TokenPurpose | None = None
    life: timedelta = timedelta(minutes=30)


_VERIFY = MailSpec(
    "verify_email",
    "Confirm your e-mail address",
    "verify-email",
    TokenPurpose.VERIFY_EMAIL,
    timedelta(days=2),
)
_INVITATION = MailSpec(
    "invitation",
    "Your library account",
    _SET_PASSWORD,
    TokenPurpose.RESET_PASSWORD,
    timedelta(days=7),
)
_RESET = MailSpec(
    "reset_password", "Set a new password", _SET_PASSWORD, TokenPurpose.RESET_PASSWORD
)
_REPEATED = MailSpec("registered_already", "You have an account", "forgot-password")
_LIMITED = MailSpec(
    "login_limited",
    "Somebody tries to guess your password",
    _SET_PASSWORD,
    TokenPurpose.RESET_PASSWORD,
)
_CHANGED = MailSpec("password_changed", "Your password was changed", "forgot-password")


def _spec(event: Event, user: User) -> MailSpec | None:
    is_new = isinstance(event, events.AccountRegistered) and user.email_verified_at is None
    if is_new and not user.has_password:
        return _INVITATION
    if isinstance(event, events.AccountRegistered | events.EmailVerificationRequested):
        return _VERIFY if user.email_verified_at is None else None
    by_event: dict[type[Event], MailSpec] = {
        events.PasswordResetRequested: _RESET,
        events.PasswordChanged: _CHANGED,
        events.LoginLimited: _LIMITED,
        events.RegistrationRepeated: _REPEATED,
    }
    return by_event.get(type(event))


def send(session: Session, event: Event) -> None:
    """Send the mail of an event; none for an account that is absent, inactive or erased."""
    user = session.get(User, event.aggregate_id())
    spec = _spec(event, user) if user is not None and user.is_active else None
    if user is None or spec is None:
        return
    link = f"{config.http().public_url.rstrip('/')}/{spec.page}"
    if spec.purpose is not None:
        link += f"#token={account_tokens.create(session, user.id, spec.purpose, spec.life)}"
    values = {"name": user.first_name, "link": link, "minutes": _duration(spec.life)}
    text = _template(f"{spec.template}.txt").substitute(values)
    html = _template("layout.html").substitute(
        title=escape(spec.subject),
        body="".join(f"<p>{_line(part, link)}</p>" for part in text.strip().split("\n\n")),
    )
    mail.send(mail.build(user.email, spec.subject, text, html))


def _line(paragraph: str, link: str) -> str:
    """Return a paragraph as HTML; the link becomes a button."""
    if paragraph.strip() == link:
        return f'<a class="button" href="{escape(link)}">{escape(link.partition("#")[0])}</a>'
    return escape(paragraph)


def _duration(life: timedelta) -> str:
    return f"{life.days} days" if life.days else f"{int(life.total_seconds() // 60)} minutes"


@cache
def _template(name: str) -> Template:
    return Template((_TEMPLATES / name).read_text(encoding="utf-8"))
