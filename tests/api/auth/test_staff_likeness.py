"""Names and addresses like those of staff are refused while the address is not verified."""

from typing import Any

import pytest

from backend.shared.infra import config, database
from backend.shared.infra.clock import now
from backend.shared.models import User
from tests.api.auth.registered_user import ME, REGISTER, RegisteredUser, field_errors, form


@pytest.fixture(autouse=True)
def _domain(monkeypatch: pytest.MonkeyPatch, servers: dict[str, str]) -> None:
    settings = config.auth().model_copy(update={"staff_domain": "library.example"})
    monkeypatch.setattr(config, "auth", lambda: settings)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("last_name", "Lоvelace"),
        ("first_name", "Library"),
        ("last_name", "ADMINISTRATOR"),
        ("last_name", "Okafor - Staff"),
        ("email", "ruth@library.example"),
        ("email", "ruth@mail.library.example"),
    ],
)
def test_registration_is_refused(api: Any, field: str, value: str) -> None:
    body = {**form(), field: value}
    assert list(field_errors(api.post(REGISTER, json=body))) == [field]


@pytest.mark.parametrize(
    "name", ["Łukasz", "Иванова", "山田 たろう", "O'Brien-Núñez", "Anna Иванова", "김 민수"]
)
def test_names_of_people_are_accepted(api: Any, name: str) -> None:
    assert api.post(REGISTER, json=form(last_name=name)).status_code == 201


def test_profile_takes_such_a_name_only_with_a_verified_address(
    api: Any, ada: RegisteredUser
) -> None:
    body = {"last_name": "Staff"}
    assert list(field_errors(api.put(ME, json=body, headers=ada.headers))) == ["last_name"]
    with database.transaction() as session:
        user = session.get_one(User, ada.id)
        user.email_verified_at = now()
    assert api.put(ME, json=body, headers=ada.headers).status_code == 200
