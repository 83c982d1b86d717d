"""Hand over by the receiver, or by staff with the member's code or a reason.

robot waits at the room → staff complete the delivery: 409, the receiver does it → staff complete
the request: a wrong code is refused and counted, five in all → with a reason it is done, audited.

A refusal rolls the request back; the try is counted in a transaction of its own.
"""

from tests.scenario import Scenario, code_of, details_of


def test_staff_need_the_code_or_a_reason(scenario: Scenario) -> None:
    scenario.until_handover()
    assert code_of(scenario.as_librarian("complete", 409)) == "INVALID_STATE_TRANSITION"
    code = scenario.current_request["handover_code"]
    wrong = f"{(int(code) + 1) % 10_000:04}"
    for left in (4, 3, 2, 1, 0):
        refused = scenario.act_as(scenario.librarian, "complete", 422, handover_code=wrong)
        assert (code_of(refused), details_of(refused)["tries_left"]) == ("WRONG_CODE", left)
    assert scenario.act_as(scenario.librarian, "complete", 422, handover_code=code)
    scenario.act_as(scenario.librarian, "complete", reason="Showed the library card")
    assert (scenario.state, scenario.custody()) == ("COMPLETED", "ON_LOAN")
