"""Sign in with a second factor.

set up (a secret for the authenticator app) → confirm with its first code → from then on a password
gives only a challenge, which a code of the app answers once.

pyotp computes the codes (RFC 6238), cryptography encrypts the stored secret, FastAPI answers.
"""

from datetime import timedelta

import pyotp

from backend.shared.infra import clock
from tests import event_runner
from tests.factories import users
from tests.scenario import Scenario, code_of, details_of


def test_password_needs_a_code_once_a_second_factor_is_set_up(scenario: Scenario) -> None:
    made = scenario.call(scenario.student, "POST", "/auth/me/totp", 201).json()["data"]
    app = pyotp.TOTP(made["secret"])
    code = {"code": app.at(clock.now())}
    scenario.call(scenario.student, "POST", "/auth/me/totp/confirm", json=code)

    event_runner.advance_clock(timedelta(seconds=30))  # each code is accepted once
    login = {"email": scenario.student.email, "password": users.PASSWORD}
    refused = scenario.call(None, "POST", "/auth/login", 401, json=login)
    assert code_of(refused) == "SECOND_FACTOR_REQUIRED"
    answer = {"challenge": details_of(refused)["challenge"], "code": app.at(clock.now())}
    tokens = scenario.call(None, "POST", "/auth/login/second-factor", json=answer)
    headers = {"Authorization": f"Bearer {tokens.json()['data']['access_token']}"}
    assert scenario.call(None, "GET", "/auth/me", headers=headers)
