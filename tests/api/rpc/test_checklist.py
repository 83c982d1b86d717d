"""docs/rpc.md, "A new RPC in ten steps": followed for a new method, and true of those there are."""

import asyncio
import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.auth.rpc import RPC as AUTH
from backend.book.rpc import RPC as BOOK
from backend.shared.infra import hot_reads
from backend.shared.models import Role
from backend.shared.web.rpc.server import RpcServer
from ops.home import ROOT
from ops.rpc import contract
from tests.authorization.test_rpc_access import ALLOWED_CALLERS
from tests.factories import users

_PAGE = (ROOT / "docs" / "rpc.md").read_text(encoding="utf-8")
_STEPS = re.findall(r"^\d+\. .*$", _PAGE, re.MULTILINE)
_NEW = """service ShelfService {
  // Count the books of a shelf. Role: librarian, admin.
  rpc CountBooks(CountBooksRequest) returns (CountBooksResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
}

// Which shelf.
message CountBooksRequest {
  string shelf = 1 [(buf.validate.field).string.min_len = 1];
}

// The number of books.
message CountBooksResponse {
  int32 count = 1;
}
"""
_FILE = """// Shelves for machines.
syntax = "proto3";

package luna.v1;

import "buf/validate/validate.proto";

// Shelves.
"""


def test_there_are_ten_steps_and_their_files_exist() -> None:
    assert len(_STEPS) == 10
    for path in re.findall(r"`((?:backend|tests)/[^`]+)`", "\n".join(_STEPS)):
        assert (ROOT / path).exists(), path


def test_every_method_is_in_the_table_with_its_callers() -> None:
    rows = set(re.findall(r"^\| `(luna\.v1\.\w+/\w+)` \|", _PAGE, re.MULTILINE))
    assert rows == ALLOWED_CALLERS.keys()


def test_examples_name_methods_that_exist() -> None:
    methods = {each.name for rpc in (AUTH, BOOK) for each in rpc.service.desc().methods}
    named = set(re.findall(r"(?:Service/|library\.)([A-Z]\w+)", _PAGE))
    assert named <= methods


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Take steps 1 to 4 in a copy of the contract, and return the new module."""
    folder = Path(shutil.copytree(contract.FOLDER, tmp_path / "proto"))
    (folder / "luna" / "v1" / "shelf.proto").write_text(_FILE + _NEW, encoding="utf-8")
    monkeypatch.setattr(contract, "FOLDER", folder)
    assert contract.lint() == ""
    assert contract.breaking_against(str(ROOT / "backend" / "shared" / "proto")) == ""
    monkeypatch.setattr(contract, "GENERATED", folder / "gen")
    contract.generate()
    (tmp_path / "fresh").mkdir()
    shutil.move(folder / "gen", tmp_path / "fresh" / "shelf_gen")
    monkeypatch.syspath_prepend(str(tmp_path / "fresh"))
    return importlib.import_module("shelf_gen.luna.v1.shelf_connect")


def test_new_method_answers_after_the_steps(api: Any, generated: Any) -> None:
    response = importlib.import_module("shelf_gen.luna.v1.shelf_pb").CountBooksResponse

    class Shelves(generated.ShelfService):  # type: ignore[misc]  # generated in this test
        async def count_books(self, request: Any, _: Any, /) -> Any:
            return response(count=len(request.shelf))

    application = generated.ShelfServiceASGIApplication
    with pytest.raises(ValueError, match="roles"):
        RpcServer("shelf-service", Shelves(), application, roles={})
    server = RpcServer("shelf-service", Shelves(), application, roles={"CountBooks": (Role.ADMIN,)})

    async def nothing(*_: Any) -> None:
        raise AssertionError("the path was not of the service")

    async def answers() -> list[Any]:
        transport = httpx.ASGITransport(server.wrap(nothing))
        async with httpx.AsyncClient(transport=transport, base_url="http://luna") as client:
            path = "/luna.v1.ShelfService/CountBooks"
            sent = [({"shelf": "A-1"}, users.admin()), ({"shelf": ""}, users.admin())]
            sent.append(({"shelf": "A-1"}, users.student()))
            answered = [
                (await client.post(path, json=body, headers=user.headers)).json()
                for body, user in sent
            ]
        await hot_reads.close()  # of this event loop
        return answered

    counted, invalid, refused = asyncio.run(answers())
    assert counted == {"count": 3}
    assert (invalid["code"], refused["code"]) == ("invalid_argument", "permission_denied")


def test_command_lists_what_the_page_lists() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ops", "rpc", "list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in ALLOWED_CALLERS:
        assert name.partition("/")[2] in done.stdout
