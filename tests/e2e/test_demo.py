"""A new user's first minutes: the demo plays a request and a return and finds everything whole."""

from tests.e2e.conftest import System


def test_the_demo_ends_well(system: System) -> None:
    played = system.luna("demo", within=150)
    assert played.returncode == 0, played.stdout + played.stderr
    for step in (
        "request made",
        "robot assigned",
        "robot at the desk",
        "book placed",
        "go received by the robot",
        "robot arrived",
        "book handed over",
        "book received",
        "invariants: ok",
    ):
        assert step in played.stdout, played.stdout
