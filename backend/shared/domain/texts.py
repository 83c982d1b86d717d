"""Texts of the codes that clients show: actions, reasons to wait, reasons of a later arrival.

`docs/errors.md` lists them.
"""

from backend.shared.models import EtaReason, WaitingReason

ACTIONS = {
    "BOOK_PLACED": "Confirm that the book is on the robot.",
    "PICKED_UP": "Confirm that the robot has the book.",
    "COMPLETE": "Confirm that the book was received.",
    "CANCEL": "Cancel it; a robot that has the book brings it back.",
    "FAIL": "Give it up, saying where the book is.",
    "RETRY": "Put it into the queue again.",
    "REASSIGN": "Take it off its robot.",
    "CLAIM": "Take the work of preparing it.",
    "RELEASE": "Give the work of preparing it back.",
    "NOT_FOUND": "Say that the copy is not on its shelf.",
    "PRIORITY": "Change its priority.",
    "EXTEND": "Let the robot wait longer.",
    "CHANGE_PLACE": "Choose another place.",
    "REPORT_PROBLEM": "Say that something is wrong.",
    # suggested for alerts
    "CHECK_ROBOT": "Go to the robot and look at it.",
    "CHECK_FLEET": "See which robots are offline, stopped or charging.",
    "CONTACT_MEMBER": "Contact the member.",
    "SET_MAINTENANCE": "Take the robot out of service.",
    "USE_STOP_BUTTON": "Go there and use the button on the robot.",
    "ASK_OPERATOR": "Ask an operator to look at `luna events`.",
}
ARRIVALS = {  # said by the robot at a hand-over, by language
    "en": "A book for you. Please confirm in LUNA that you have it.",
    "de": "Ein Buch für Sie. Bitte bestätigen Sie in LUNA, dass Sie es haben.",
}
WAITING_REASONS: dict[str, str] = {
    WaitingReason.ROBOTS_BUSY: "All robots are busy.",
    WaitingReason.ROBOTS_CHARGING: "The free robots have to charge first.",
    WaitingReason.ROBOTS_OFFLINE: "No robot is online.",
    WaitingReason.ROBOTS_STOPPED: "The robots are under an emergency stop.",
    WaitingReason.NO_ROBOT_IN_SERVICE: "No robot is in service.",
    WaitingReason.NO_ROUTE: "No open route leads there.",
}
ETA_REASONS: dict[str, str] = {
    EtaReason.WAITING_FOR_ROBOT: "No robot has been free yet.",
    EtaReason.WAITING_TO_BE_LOADED: "The book is not on the robot yet.",
    EtaReason.ANOTHER_ROBOT: "Another robot takes over.",
    EtaReason.ROBOT_STOPPED: "The robot was stopped.",
    EtaReason.ROBOT_OFFLINE: "The robot has lost its connection.",
    EtaReason.DETOUR: "A path is blocked, and the robot drives another way.",
    EtaReason.SLOWER: "The robot drives more slowly than usual.",
    EtaReason.WAITING_FOR_STAFF: "The robot cannot go on, and staff are on their way to it.",
}
