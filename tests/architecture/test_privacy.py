"""No tracked file reveals the machine it was written on."""

import os
import re
from urllib.parse import urlsplit

import pytest

from ops import bootstrap
from tests.architecture import source_files

# Assembled here, so that this file does not match its own search.
HOMES = [f"/{first}/" for first in ("ro" + "ot", "wo" + "rk", "Us" + "ers", "ho" + "me")]
TEXT = [path for path in source_files.tracked() if path.suffix != ".png"]


@pytest.mark.parametrize("home", HOMES)
def test_no_local_path_is_tracked(home: str) -> None:
    # a path, not part of a URL or of a longer path inside the project
    pattern = re.compile(rf"(?<![\w./{{}}:*-]){home}[\w.-]")
    found = [
        source_files.name_of(path)
        for path in TEXT
        if pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def _index_hosts() -> set[str]:
    given = [os.environ.get(name, "") for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")]
    hosts = {urlsplit(url).hostname for url in [*given, *bootstrap.index().values()]}
    return {host for host in hosts if host and host != "pypi.org"}


@pytest.mark.skipif(not bootstrap.BOOT.exists(), reason="no index is known")
def test_package_index_of_this_machine_is_not_tracked() -> None:
    texts = {source_files.name_of(path): path.read_text(encoding="utf-8") for path in TEXT}
    for host in _index_hosts():
        assert [name for name, text in texts.items() if host in text] == []


def test_lock_contains_no_address() -> None:
    for path in TEXT:
        if path.suffix == ".lock" or path.name.endswith(".lock.txt"):
            assert "://" not in path.read_text(encoding="utf-8"), path.name
