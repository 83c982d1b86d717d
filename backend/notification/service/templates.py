"""Texts of the notifications, one dict per language.

Values come from the event, which never holds the hand-over code: only the app shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.notification.service import german

_FALLBACK = "en"


@dataclass(frozen=True)
class Template:
    title: str
    message: str


_ENGLISH: dict[str, Template] = {
    # to the student
    "circulation.reminded": Template("Books to return or renew", "{lines}"),
    "circulation.due_line": Template("Due", "“{book_title}” is due on {day}."),
    "circulation.overdue_line": Template("Overdue", "“{book_title}” was due on {day}."),
    "circulation.hold_ready": Template(
        "Your book is ready",
        "“{book_title}” is kept for you until {day}. Fetch it, or let a robot bring it.",
    ),
    "circulation.hold_expired": Template(
        "Your hold has expired", "“{book_title}” was not fetched in time and went to the next."
    ),
    "request.created": Template(
        "Request received", "We bring “{book_title}” to {location} as soon as a robot is free."
    ),
    "request.cancelled": Template("Request cancelled", "“{book_title}” is not coming any more."),
    "request.no_show": Template(
        "Nobody was there", "The robot waited at {location} and takes “{book_title}” back."
    ),
    "request.not_found": Template(
        "Book not found", "“{book_title}” is not on its shelf, and there is no other copy."
    ),
    "request.completed": Template("Enjoy your book", "“{book_title}” is on loan to you now."),
    "delivery.assigned": Template(
        "A robot fetches your book", "{robot_name} is on its way to the desk for “{book_title}”."
    ),
    "delivery.departed": Template(
        "Your book is on its way", "{robot_name} is bringing “{book_title}” to {destination}."
    ),
    "delivery.arrived": Template(
        "Your book is here",
        "The robot is at {destination} with “{book_title}” — your code is in the app.",
    ),
    "delivery.reminder": Template(
        "The robot is waiting", "{robot_name} still waits at {destination} with “{book_title}”."
    ),
    "delivery.no_robot": Template(
        "It takes a little longer", "No robot is free for “{book_title}” yet. We keep trying."
    ),
    "return.assigned": Template(
        "A robot comes to you", "{robot_name} is on its way to {source} for “{book_title}”."
    ),
    "return.loading": Template(
        "The robot is waiting for you",
        "{robot_name} is at {source}. Put “{book_title}” on it, then say so in the app.",
    ),
    "return.reminder": Template(
        "The robot is still waiting", "{robot_name} waits at {source} for “{book_title}”."
    ),
    "return.picked_up": Template(
        "Book picked up", "The robot has “{book_title}”. It is off your account."
    ),
    "return.completed": Template("Return complete", "“{book_title}” is back in the library."),
    # to the staff
    "desk.loading": Template(
        "A robot waits to be loaded",
        "{robot_name} is at {source}. Place “{book_title}” on it (delivery {reference}).",
    ),
    "desk.loading_reminder": Template(
        "A robot still waits to be loaded",
        "{robot_name} waits at {source} for “{book_title}” (delivery {reference}).",
    ),
    "desk.arrived": Template(
        "A robot has brought a book",
        "{robot_name} is at {destination} with “{book_title}” (delivery {reference}). "
        "Take it and confirm.",
    ),
    "desk.arrived_reminder": Template(
        "A robot still waits with a book",
        "{robot_name} waits at {destination} with “{book_title}” (delivery {reference}).",
    ),
    "desk.brought_back": Template(
        "A robot has brought a book back",
        "{robot_name} is back with “{book_title}” (delivery {reference}). Take it and confirm.",
    ),
    "desk.no_robot": Template(
        "A delivery waits for a robot", "No robot is free for {reference}, “{book_title}”."
    ),
    "desk.needs_attention": Template(
        "A delivery needs attention", "Delivery {reference} of “{book_title}”: {why}."
    ),
    "desk.failed": Template(
        "A delivery has failed",
        "Delivery {reference} of “{book_title}” has failed: {why}. Retry it, or say where the "
        "book is.",
    ),
    "system.dead_letter": Template(
        "An event could not be processed",
        "Event {event_type} failed for good. Ask an operator to check `luna events`.",
    ),
    "system.watchdog_late": Template(
        "Events are delayed",
        "No event has been processed in time. Ask an operator to check the worker and Redis.",
    ),
    "robot.offline": Template("A robot is offline", "{robot_name} has stopped reporting."),
    "robot.stop_requested": Template(
        "Emergency stop", "{robot_name} was ordered to stop. Reason: {why}."
    ),
    "robot.fleet_stop_requested": Template(
        "Emergency stop", "All robots were ordered to stop. Reason: {why}."
    ),
    "robot.stop_unconfirmed": Template(
        "A robot may still be moving",
        "{robot_name} has not confirmed that it has stopped. Check it on site.",
    ),
    "import.succeeded": Template(
        "Import finished", "{processed} rows read, {failed} refused, {warnings} with a warning."
    ),
    "import.failed": Template(
        "Import did not finish", "It ended as {state} after {processed} rows."
    ),
}

LANGUAGES: dict[str, dict[str, Template]] = {
    _FALLBACK: _ENGLISH,
    "de": {key: Template(*texts) for key, texts in german.TEXTS.items()},
}
_NO_REASON = {_FALLBACK: "no reason was given", "de": german.NO_REASON}
_UNKNOWN_ROBOT = {_FALLBACK: "A robot", "de": german.UNKNOWN_ROBOT}


def render(key: str, language: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """Return title and message in `language`, in English when there are no texts in it."""
    language = language if language in LANGUAGES else _FALLBACK
    template = LANGUAGES[language][key]
    given = {name: value for name, value in values.items() if value is not None}
    known = {"robot_name": _UNKNOWN_ROBOT[language], **given}
    known["why"] = _reason(values.get("reason")) or _NO_REASON[language]
    return template.title.format_map(known), template.message.format_map(known)


def _reason(code: Any) -> str:
    """Make a reason code readable: `NOT_LOADED` is “not loaded”; a sentence is kept."""
    first, colon, rest = str(code or "").rstrip(".").partition(": ")
    readable = first.replace("_", " ").lower() if first.isupper() else first
    return f"{readable}{colon}{rest}"
