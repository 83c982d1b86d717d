"""Run the scripts that Compose uses."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from backend.docker import simulated_robot
from ops.servers import database, database_roles, prerequisites
from ops.servers.temporary_servers import temporary_servers
from tests.docker.files import COMPOSE, FOLDER, OVERLAY, services


def make_secrets(folder: Path) -> dict[str, str]:
    subprocess.run([FOLDER / "make-secrets", folder], check=True)  # noqa: S603 (a script of this project)
    return {
        str(path.relative_to(folder)): path.read_text(encoding="ascii")
        for path in folder.glob("*/*")
    }


def test_every_secret_that_a_container_reads_is_generated(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    text = COMPOSE.read_text(encoding="utf-8") + OVERLAY.read_text(encoding="utf-8")
    read = set(re.findall(r"/secrets/(\w+/\w+)", text))
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")}
    by_script = {f"postgres/{role}_password" for role in database_roles.ROLES}  # 10-luna.sh
    assert read | by_script == made


def test_secrets_are_distinct_long_and_kept(tmp_path: Path) -> None:
    first = make_secrets(tmp_path)
    assert len(set(first.values())) == len(first)
    assert all(len(value) >= 64 for value in first.values())
    assert make_secrets(tmp_path) == first


def test_database_urls_contain_the_passwords(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    urls = {role: f"{role.removeprefix('luna_')}/database_url" for role in database_roles.ROLES}
    for role, url in (urls | {database_roles.OWNER: "owner/database_owner_url"}).items():
        password = (tmp_path / "postgres" / f"{role}_password").read_text(encoding="ascii")
        expected = f"postgresql+psycopg2://{role}:{password}@postgres:5432/luna"
        assert (tmp_path / url).read_text(encoding="ascii") == expected


def test_secrets_are_made_before_postgres_starts() -> None:
    words = services(COMPOSE)["postgres"]["entrypoint"]
    assert words[2].startswith("make-secrets /secrets && exec docker-entrypoint.sh ")


@pytest.fixture
def cluster() -> Iterator[str]:
    """Start a separate cluster, because the script creates roles of the whole cluster."""
    if "LUNA_TEST_POSTGRES_BIN" not in os.environ:
        pytest.skip("needs the programs that ./luna test finds")
    programs = prerequisites.Programs(
        *(
            Path(os.environ[f"LUNA_TEST_{name}"])
            for name in ("POSTGRES_BIN", "REDIS_SERVER", "NGINX")
        )
    )
    with temporary_servers(programs) as environment:
        yield environment["LUNA_TEST_DATABASE_URL"].replace("+psycopg2", "")


def test_new_cluster_gets_roles_database_and_extensions(cluster: str, tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    server = psycopg2.extensions.parse_dsn(cluster)
    environment = os.environ | {
        "PATH": f"{os.environ['LUNA_TEST_POSTGRES_BIN']}:{os.environ['PATH']}",
        "LUNA_SECRETS": str(tmp_path),
        "POSTGRES_USER": server["user"],
        "PGPASSWORD": server["password"],
        "PGHOST": server["host"],
        "PGPORT": server["port"],
    }
    script = FOLDER / "postgres" / "10-luna.sh"
    for _ in range(2):  # it may be run again
        subprocess.run([script], env=environment, check=True)  # noqa: S603 (a script of this project)
    own = server | {"dbname": database_roles.DATABASE, "user": database_roles.OWNER}
    connection = psycopg2.connect(**own | {"password": made["postgres/luna_owner_password"]})
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension")
        assert {row[0] for row in cursor.fetchall()} == {"plpgsql", *database.EXTENSIONS}
        cursor.execute("CREATE TABLE mine ()")
    connection.close()
    for role in database_roles.ROLES:
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(**own | {"user": role, "password": "another"})


def test_simulated_robot_starts_at_its_waypoint_of_the_demo_library(tmp_path: Path) -> None:
    for number in (2, 1):
        (tmp_path / f"luna-bot-{number}.key").write_text("luna_rb_x_y", encoding="ascii")
        start = {"waypoint": f"DK-{number}", "x": 1.5, "y": number, "floor": 1}
        (tmp_path / f"luna-bot-{number}.json").write_text(json.dumps(start), encoding="ascii")
    _python, *words = simulated_robot.command(2, "10", tmp_path)
    assert words[:3] == ["-m", "bridge", "run"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options == {
        "--driver": "simulator",
        "--url": "http://nginx:8080",
        "--key-file": str(tmp_path / "luna-bot-2.key"),
        "--state-dir": str(tmp_path / "luna-bot-2"),
        "--speed": "10",
        "--start-waypoint": "DK-2",
        "--start-x": "1.5",
        "--start-y": "2",
        "--start-floor": "1",
    }
