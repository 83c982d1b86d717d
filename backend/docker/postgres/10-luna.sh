#!/bin/sh
# Run by PostgreSQL's image in a new cluster: the roles, the database and its extensions, as
# ops/servers/database.py creates them natively. Migrations create the schema and grant the rights.
# May be run again in a cluster of an earlier release, which has fewer roles.
set -eu

secrets=${LUNA_SECRETS:-/secrets}/postgres
sql() { psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$POSTGRES_USER" "$@"; }

for role in luna_owner luna_auth luna_book luna_delivery luna_robot luna_notification luna_worker luna_operator; do
  sql --dbname postgres --set role="$role" --set password="$(cat "$secrets/${role}_password")" <<'SQL'
SELECT format('CREATE ROLE %I', :'role') WHERE to_regrole(:'role') IS NULL \gexec
ALTER ROLE :"role" LOGIN PASSWORD :'password';
SQL
done
sql --dbname postgres <<'SQL'
GRANT luna_auth, luna_book, luna_delivery, luna_robot, luna_notification, luna_worker TO luna_operator;
SELECT 'CREATE ROLE luna_app' WHERE to_regrole('luna_app') IS NULL \gexec
ALTER ROLE luna_app NOLOGIN PASSWORD NULL;
SELECT 'CREATE DATABASE luna OWNER luna_owner'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'luna') \gexec
\connect luna
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS btree_gin;
SQL
