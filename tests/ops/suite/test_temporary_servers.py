"""The PostgreSQL and Redis servers that `luna test` starts."""

import os

import psycopg2
import redis


def test_temporary_postgres_runs_without_fsync_for_a_superuser() -> None:
    url = os.environ["LUNA_TEST_DATABASE_URL"].replace("+psycopg2", "")
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser'), current_setting('fsync')")
        assert cursor.fetchone() == ("on", "off")
    connection.close()


def test_temporary_redis_listens_on_its_socket_only() -> None:
    for url in os.environ["LUNA_TEST_REDIS_URLS"].split():
        with redis.Redis.from_url(url) as client:
            assert client.info("server")["tcp_port"] == 0
