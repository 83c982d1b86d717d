"""The pick list in walking order, the figures of deliveries, the floor plans."""

import csv
import io
from collections import Counter
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from tests import event_runner
from tests.factories import catalogue, users
from tests.scenario import Scenario


def _request_from(scenario: Scenario, owner: Engine, shelf: str) -> str:
    """Request a title whose copy is on this shelf; return its barcode."""
    scenario.book, scenario.student = catalogue.add_book(f"Book on {shelf}"), users.student()
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE copies SET shelf_location = :shelf WHERE book_id = :book"),
            {"shelf": shelf, "book": scenario.book},
        )
    scenario.request_delivery()
    return str(scenario.task["copy_barcode"])


def test_pick_list_is_in_walking_order(scenario: Scenario, owner: Engine) -> None:
    for shelf in ("B-1", "A-10", "B-2", "A-2"):
        _request_from(scenario, owner, shelf)
    picks = scenario.get(scenario.librarian, "/deliveries/pick-list")
    assert [pick["shelf_location"] for pick in picks] == ["A-2", "A-10", "B-2", "B-1"]
    assert [(pick["sequence"], pick["batch"], pick["floor"]) for pick in picks] == [
        (number, 1, 1) for number in (1, 2, 3, 4)
    ]
    second = scenario.call(scenario.librarian, "GET", "/deliveries/pick-list?limit=3&page=2")
    assert [pick["sequence"] for pick in second.json()["data"]] == [4]
    assert second.json()["pagination"]["total"] == 4
    by_age = scenario.get(scenario.librarian, "/deliveries/pick-list?sort=created_at")
    assert [pick["sequence"] for pick in by_age] == [4, 2, 3, 1]


def test_pick_list_names_who_prepares_a_book(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.as_librarian("claim")
    (pick,) = scenario.get(scenario.librarian, "/deliveries/pick-list")
    assert pick["claimed_by"]["id"] == str(scenario.librarian.id)


def test_pick_list_shows_a_title_without_an_author(scenario: Scenario, owner: Engine) -> None:
    scenario.request_delivery()
    with owner.begin() as connection:
        connection.execute(text("UPDATE books SET author = NULL"))
    (pick,) = scenario.get(scenario.librarian, "/deliveries/pick-list")
    assert (pick["author"], pick["book_title"]) == (None, "The Left Hand of Darkness")


def _figures(scenario: Scenario, query: str = "") -> Any:
    return scenario.get(scenario.librarian, f"/deliveries/analytics{query}")


def _named(entries: list[Any], field: str = "count") -> dict[str, Any]:
    return {entry["name"]: entry[field] for entry in entries}


def test_figures_tell_how_long_each_phase_took(scenario: Scenario) -> None:
    scenario.request_delivery()
    event_runner.advance_clock(timedelta(seconds=60))
    scenario.robot.heartbeat()
    scenario.run_events()
    scenario.drive_robot()
    event_runner.advance_clock(timedelta(seconds=120))
    scenario.as_librarian("book-placed")
    scenario.drive_robot()
    event_runner.advance_clock(timedelta(seconds=30))
    scenario.as_student("complete")
    medians = _named(_figures(scenario)["durations"], "median")
    expected = {"waiting": 60, "loading": 120, "handover": 30, "total": 210, "travel": 0}
    assert {name: abs(medians[name] - seconds) < 10 for name, seconds in expected.items()} == (
        dict.fromkeys(expected, True)
    )
    (robot,) = _figures(scenario)["robots"]
    assert robot["tasks"] == 1
    assert 150 <= robot["waiting_seconds"] < 170


def test_sums_of_the_figures_equal_the_list(scenario: Scenario) -> None:
    scenario.until_departed()
    scenario.as_librarian("fail", reason="=It fell over", book_location="Lift")
    scenario.book, scenario.student = catalogue.add_book("Second"), users.student()
    scenario.request_delivery("SR-202")
    figures = _figures(scenario)
    listed = scenario.call(scenario.librarian, "GET", "/deliveries").json()["pagination"]["total"]
    assert figures["total"] == listed == 2
    for group in ("by_status", "by_type", "by_hour", "by_place"):
        assert sum(_named(figures[group]).values()) == listed
    assert _named(figures["failures"]) == {"=It fell over": 1}
    assert _named(figures["by_place"]) == {"Study Room 201": 1, "Study Room 202": 1}
    assert _figures(scenario, "?from=2099-01-01T00:00:00Z")["total"] == 0
    path = "/deliveries/analytics?format=csv"
    rows = list(csv.reader(io.StringIO(scenario.call(scenario.librarian, "GET", path).text)))
    assert rows[:2] == [["group", "name", "figure", "value"], ["total", "", "count", "2"]]
    assert ["by_status", "FAILED", "count", "1"] in rows
    assert ["failures", "'=It fell over", "count", "1"] in rows  # not run as a formula


def _listed(scenario: Scenario) -> list[Any]:
    """Return every delivery with its history, as a person would read them."""
    found = scenario.get(scenario.librarian, "/deliveries?limit=100")
    return [scenario.get(scenario.librarian, f"/deliveries/{each['id']}") for each in found]


def test_each_figure_is_counted_from_the_deliveries_themselves(scenario: Scenario) -> None:
    scenario.until_departed()
    scenario.drive_robot()
    event_runner.advance_clock(timedelta(seconds=90))
    scenario.as_student("complete")
    for place, minutes in (("SR-202", 2), ("SR-201", 9), ("SR-202", 0)):
        event_runner.advance_clock(timedelta(minutes=minutes))
        scenario.book, scenario.student = catalogue.add_book(f"{place} {minutes}"), users.student()
        scenario.request_delivery(place)
        if minutes == 2:
            scenario.as_librarian("fail", reason="LOST: at the lift", book_location="Lift")
    tasks, figures = _listed(scenario), _figures(scenario)
    zone = ZoneInfo(scenario.call(None, "GET", "/auth/client-settings").json()["data"]["time_zone"])
    hour = [f"{datetime.fromisoformat(each['created_at']).astimezone(zone):%H}" for each in tasks]
    failed = [each["failure_reason"] for each in tasks if each["status"] == "FAILED"]
    counted = {
        "by_status": Counter(each["status"] for each in tasks),
        "by_type": Counter(each["task_type"] for each in tasks),
        "by_place": Counter(each["destination_location"] for each in tasks),
        "by_hour": Counter(hour),
        "failures": Counter(reason.partition(":")[0] for reason in failed),
    }
    assert {group: _named(figures[group]) for group in counted} == counted
    assert figures["total"] == len(tasks) == 4
    done = [each["history"] for each in tasks if each["status"] == "COMPLETED"]
    seconds = [
        datetime.fromisoformat(history[-1]["created_at"]).timestamp()
        - datetime.fromisoformat(history[0]["created_at"]).timestamp()
        for history in done
    ]
    assert _named(figures["durations"])["total"] == len(done) == 1
    assert abs(_named(figures["durations"], "median")["total"] - median(seconds)) < 1
    driven = Counter(each["robot_name"] for each in tasks if each["robot_name"])
    assert {each["robot_name"]: each["tasks"] for each in figures["robots"]} == driven


def test_floor_plans_are_shown_to_students(scenario: Scenario) -> None:
    document = scenario.get(scenario.librarian, "/robot/map")
    plan = {"floor": 1, "name": "Ground", "svg": "<svg/>", "width_m": 60, "height_m": 10}
    document["floors"] = [plan]
    scenario.call(scenario.librarian, "PUT", "/robot/map", json=document)
    seen = scenario.get(scenario.student, "/deliveries/floors")
    assert seen["version"] == document["version"] + 1
    assert (seen["floors"][0]["name"], seen["floors"][0]["width_m"]) == ("Ground", 60)
