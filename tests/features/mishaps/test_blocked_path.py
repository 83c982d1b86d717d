"""Drive around a blocked path.

robot reports PATH_BLOCKED → the edge where it stands is closed for ten minutes → the drive is
commanded again over the other way → staff see the closed edge on the map and open it.

networkx plans the routes on the map's graph; a closed edge raises the map's version.
"""

from tests.scenario import Scenario


def test_blocked_edge_is_closed_and_the_robot_drives_around(scenario: Scenario) -> None:
    plan = scenario.get(scenario.librarian, "/robot/map")
    corner = {"name": "Corner", "location_code": "J-1", "kind": "JUNCTION", "floor": 1}
    plan["waypoints"].append({**corner, "x": 5.0, "y": 9.0})
    plan["edges"] += [{"from": "DK-1", "to": "J-1"}, {"from": "J-1", "to": "WS-1"}]
    scenario.call(scenario.librarian, "PUT", "/robot/map", json=plan)
    scenario.request_delivery()
    scenario.run_events()
    drive = scenario.robot.next_command()
    scenario.robot.report(drive, "FAILED", message="PATH_BLOCKED: a trolley")
    scenario.run_events()
    route = scenario.drive_robot()["payload"]["route"]
    assert [place["name"] for place in route] == ["Dock 1", "Corner", "Circulation Desk"]
    edge = scenario.get(scenario.librarian, "/robot/map")["edges"][0]
    assert edge["closed_reason"] == "PATH_BLOCKED"
    scenario.call(scenario.librarian, "PUT", f"/robot/map/edges/{edge['id']}/open")
