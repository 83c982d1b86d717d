"""`luna test` gives tests a PostgreSQL and a Redis that are theirs alone."""

import os

import psycopg2
import redis


def test_the_test_database_is_a_superusers_and_real() -> None:
    url = os.environ["LUNA_TEST_DATABASE_URL"].replace("+psycopg2", "")
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser'), current_setting('fsync')")
        assert cursor.fetchone() == ("on", "off")
    connection.close()


def test_the_test_redis_listens_on_its_socket_only() -> None:
    with redis.Redis.from_url(os.environ["LUNA_TEST_REDIS_URL"]) as client:
        assert client.config_get("port") == {"port": "0"}
