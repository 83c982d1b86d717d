"""Nothing tracked tells of the machine it was written on."""

import os
import re
from urllib.parse import urlsplit

import pytest

from ops import bootstrap
from tests.architecture import source_files

# Put together here, so that this file does not hold what it looks for.
HOMES = [f"/{first}/" for first in ("ro" + "ot", "wo" + "rk", "Us" + "ers", "ho" + "me")]
TEXT = [path for path in source_files.tracked() if path.suffix != ".png"]


@pytest.mark.parametrize("home", HOMES)
def test_no_path_of_a_machine_is_named(home: str) -> None:
    # a path, not a part of an address or of a longer path of the project's own
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


@pytest.mark.skipif(not bootstrap.BOOT.exists(), reason="made without ./luna: no index is known")
def test_the_package_index_of_this_machine_is_not_named() -> None:
    """Whatever index was used at home is nobody's business."""
    texts = {source_files.name_of(path): path.read_text(encoding="utf-8") for path in TEXT}
    for host in _index_hosts():
        assert [name for name, text in texts.items() if host in text] == []


def test_the_lock_names_no_address() -> None:
    for path in TEXT:
        if path.suffix == ".lock" or path.name.endswith(".lock.txt"):
            assert "://" not in path.read_text(encoding="utf-8"), path.name
