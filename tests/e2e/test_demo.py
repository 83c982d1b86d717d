"""`luna demo` runs a request and a return, and checks the invariants."""

from tests.e2e.conftest import System


def test_demo_completes_a_request_and_a_return(system: System) -> None:
    demo = system.luna("demo", timeout=150)
    assert demo.returncode == 0, demo.stdout + demo.stderr
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
        assert step in demo.stdout, demo.stdout
