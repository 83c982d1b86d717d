#!/bin/sh
# Run once by PostgreSQL's image in a new cluster: the two roles, the database and its extensions,
# as ops/servers/database.py creates them natively. Migrations create the schema.
set -eu

secrets=${LUNA_SECRETS:-/secrets}/postgres

psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname postgres \
  --set owner_password="$(cat "$secrets/luna_owner_password")" \
  --set app_password="$(cat "$secrets/luna_app_password")" <<'SQL'
CREATE ROLE luna_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE luna_app LOGIN PASSWORD :'app_password';
CREATE DATABASE luna OWNER luna_owner;
\connect luna
CREATE EXTENSION pg_trgm;
CREATE EXTENSION unaccent;
CREATE EXTENSION btree_gin;
SQL
