"""Texts of the notifications in German: title and message by the key of the template."""

NO_REASON = "kein Grund angegeben"
UNKNOWN_ROBOT = "Ein Roboter"

TEXTS: dict[str, tuple[str, str]] = {
    # to the student
    "circulation.reminded": ("Bücher zurückgeben oder verlängern", "{lines}"),
    "circulation.due_line": ("Fällig", "„{book_title}“ ist am {day} fällig."),
    "circulation.overdue_line": ("Überfällig", "„{book_title}“ war am {day} fällig."),
    "circulation.hold_ready": (
        "Ihr Buch liegt bereit",
        "„{book_title}“ liegt bis {day} für Sie bereit. Ein Roboter bringt es auf Wunsch.",
    ),
    "circulation.hold_expired": (
        "Ihre Vormerkung ist abgelaufen",
        "„{book_title}“ wurde nicht rechtzeitig abgeholt und ging an die Nächsten.",
    ),
    "request.created": (
        "Anfrage eingegangen",
        "Wir bringen „{book_title}“ nach {location}, sobald ein Roboter frei ist.",
    ),
    "request.cancelled": ("Anfrage storniert", "„{book_title}“ kommt nicht mehr."),
    "request.no_show": (
        "Niemand war da",
        "Der Roboter hat bei {location} gewartet und bringt „{book_title}“ zurück.",
    ),
    "request.not_found": (
        "Buch nicht gefunden",
        "„{book_title}“ steht nicht im Regal, und es gibt kein anderes Exemplar.",
    ),
    "request.completed": ("Viel Freude beim Lesen", "„{book_title}“ ist jetzt ausgeliehen."),
    "delivery.assigned": (
        "Ein Roboter holt Ihr Buch",
        "{robot_name} fährt für „{book_title}“ zur Theke.",
    ),
    "delivery.departed": (
        "Ihr Buch ist unterwegs",
        "{robot_name} bringt „{book_title}“ nach {destination}.",
    ),
    "delivery.arrived": (
        "Ihr Buch ist da",
        "Der Roboter steht mit „{book_title}“ bei {destination} – Ihr Code steht in der App.",
    ),
    "delivery.reminder": (
        "Der Roboter wartet",
        "{robot_name} wartet noch mit „{book_title}“ bei {destination}.",
    ),
    "delivery.no_robot": (
        "Es dauert etwas länger",
        "Für „{book_title}“ ist noch kein Roboter frei. Wir versuchen es weiter.",
    ),
    "return.assigned": (
        "Ein Roboter kommt zu Ihnen",
        "{robot_name} fährt für „{book_title}“ nach {source}.",
    ),
    "return.loading": (
        "Der Roboter wartet auf Sie",
        (
            "{robot_name} steht bei {source}. Legen Sie „{book_title}“ darauf und bestätigen Sie "
            "es in der App."
        ),
    ),
    "return.reminder": (
        "Der Roboter wartet noch",
        "{robot_name} wartet bei {source} auf „{book_title}“.",
    ),
    "return.picked_up": (
        "Buch abgeholt",
        "Der Roboter hat „{book_title}“. Es ist nicht mehr auf Ihrem Konto.",
    ),
    "return.completed": (
        "Rückgabe abgeschlossen",
        "„{book_title}“ ist zurück in der Bibliothek.",
    ),
    # to the staff
    "desk.loading": (
        "Ein Roboter wartet auf sein Buch",
        "{robot_name} steht bei {source}. Legen Sie „{book_title}“ darauf (Lieferung {reference}).",
    ),
    "desk.loading_reminder": (
        "Ein Roboter wartet noch auf sein Buch",
        "{robot_name} wartet bei {source} auf „{book_title}“ (Lieferung {reference}).",
    ),
    "desk.arrived": (
        "Ein Roboter hat ein Buch gebracht",
        (
            "{robot_name} steht mit „{book_title}“ bei {destination} (Lieferung {reference}). "
            "Nehmen Sie es und bestätigen Sie."
        ),
    ),
    "desk.arrived_reminder": (
        "Ein Roboter wartet noch mit einem Buch",
        "{robot_name} wartet mit „{book_title}“ bei {destination} (Lieferung {reference}).",
    ),
    "desk.brought_back": (
        "Ein Roboter hat ein Buch zurückgebracht",
        (
            "{robot_name} ist mit „{book_title}“ zurück (Lieferung {reference}). Nehmen Sie es und "
            "bestätigen Sie."
        ),
    ),
    "desk.no_robot": (
        "Eine Lieferung wartet auf einen Roboter",
        "Für {reference}, „{book_title}“, ist kein Roboter frei.",
    ),
    "desk.needs_attention": (
        "Eine Lieferung braucht Sie",
        "Lieferung {reference} von „{book_title}“: {why}.",
    ),
    "desk.failed": (
        "Eine Lieferung ist gescheitert",
        (
            "Lieferung {reference} von „{book_title}“ ist gescheitert: {why}. Wiederholen Sie sie, "
            "oder geben Sie an, wo das Buch ist."
        ),
    ),
    "system.dead_letter": (
        "Ein Ereignis konnte nicht verarbeitet werden",
        (
            "Ereignis {event_type} ist endgültig gescheitert. Bitten Sie den Betrieb, "
            "`luna events` anzusehen."
        ),
    ),
    "system.watchdog_late": (
        "Ereignisse verzögern sich",
        (
            "Kein Ereignis wurde rechtzeitig verarbeitet. Bitten Sie den Betrieb, Worker und Redis "
            "zu prüfen."
        ),
    ),
    "robot.offline": ("Ein Roboter ist offline", "{robot_name} meldet sich nicht mehr."),
    "robot.stop_requested": (
        "Not-Halt",
        "{robot_name} wurde angehalten. Grund: {why}.",
    ),
    "robot.fleet_stop_requested": (
        "Not-Halt",
        "Alle Roboter wurden angehalten. Grund: {why}.",
    ),
    "robot.stop_unconfirmed": (
        "Ein Roboter fährt vielleicht noch",
        "{robot_name} hat nicht bestätigt, dass er steht. Sehen Sie vor Ort nach.",
    ),
    "import.succeeded": (
        "Import beendet",
        "{processed} Zeilen gelesen, {failed} abgelehnt, {warnings} mit Hinweis.",
    ),
    "import.failed": (
        "Import nicht beendet",
        "Er endete nach {processed} Zeilen als {state}.",
    ),
}
