"""Give each emergency stop a latch row of its own, and fence commands by it.

Revision: 0005, after 0004.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UPGRADE = """
-- No foreign keys: checking one locks the other row, and a stop waits for nobody.
CREATE TABLE stop_latches (
    id         uuid    NOT NULL,
    version    bigint  NOT NULL,
    stopped    boolean NOT NULL,
    changed_at timestamptz,
    changed_by uuid,
    reason     text,
    CONSTRAINT pk_stop_latches PRIMARY KEY (id)
) WITH (fillfactor = 50);
INSERT INTO stop_latches
    SELECT '00000000-0000-0000-0000-000000000000', stop_version,
           stopped_at IS NOT NULL, stopped_at, stopped_by, stop_reason
    FROM fleet_state;
INSERT INTO stop_latches
    SELECT id, stop_version, coalesce(stop_scope = 'ROBOT', false), stopped_at, stopped_by,
           stop_reason
    FROM robots;
UPDATE robots SET stop_version = robots.stop_version + fleet_state.stop_version
    FROM fleet_state;
ALTER TABLE robots DROP CONSTRAINT fk_robots_stopped_by_users;
ALTER TABLE fleet_state DROP COLUMN stop_version, DROP COLUMN stopped_at,
    DROP COLUMN stopped_by, DROP COLUMN stop_reason;
DROP SEQUENCE stop_versions;

CREATE FUNCTION create_stop_latch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stop_latches (id, version, stopped) VALUES (NEW.id, 0, false);
    RETURN NULL;
END $$;
CREATE TRIGGER create_stop_latch AFTER INSERT ON robots
    FOR EACH ROW EXECUTE FUNCTION create_stop_latch();

ALTER TABLE robot_commands ADD COLUMN stop_version bigint NOT NULL DEFAULT 0;
UPDATE robot_commands SET stop_version = robots.stop_version
    FROM robots WHERE robots.id = robot_commands.robot_id;

-- A command of a stopped robot is void from the start. One that is created while a stop
-- commits carries the version before that stop, and is never leased.
CREATE FUNCTION fence_command() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    robot_is_stopped boolean;
BEGIN
    SELECT sum(version), bool_or(stopped) INTO NEW.stop_version, robot_is_stopped
    FROM stop_latches WHERE id IN (NEW.robot_id, '00000000-0000-0000-0000-000000000000');
    IF robot_is_stopped THEN
        NEW.status := 'VOID';
        NEW.finished_at := NEW.created_at;
        NEW.result := 'emergency stop';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fence_command BEFORE INSERT ON robot_commands
    FOR EACH ROW EXECUTE FUNCTION fence_command();
GRANT SELECT, INSERT, UPDATE, DELETE ON stop_latches TO luna_app;
"""

_DOWNGRADE = """
DROP TRIGGER fence_command ON robot_commands;
DROP TRIGGER create_stop_latch ON robots;
DROP FUNCTION fence_command, create_stop_latch;
ALTER TABLE robot_commands DROP COLUMN stop_version;
CREATE SEQUENCE stop_versions;
SELECT setval('stop_versions', 1 + coalesce(max(stop_version), 0)) FROM robots;
GRANT USAGE, SELECT ON SEQUENCE stop_versions TO luna_app;
ALTER TABLE fleet_state ADD COLUMN stop_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN stopped_at timestamptz,
    ADD COLUMN stopped_by uuid
        CONSTRAINT fk_fleet_state_stopped_by_users REFERENCES users (id),
    ADD COLUMN stop_reason text;
ALTER TABLE fleet_state ALTER COLUMN stop_version DROP DEFAULT;
UPDATE fleet_state SET stop_version = latch.version
    FROM stop_latches AS latch WHERE latch.id = '00000000-0000-0000-0000-000000000000';
UPDATE fleet_state SET stopped_at = latch.changed_at, stopped_by = latch.changed_by,
        stop_reason = latch.reason
    FROM stop_latches AS latch
    WHERE latch.id = '00000000-0000-0000-0000-000000000000' AND latch.stopped;
ALTER TABLE robots ADD CONSTRAINT fk_robots_stopped_by_users
    FOREIGN KEY (stopped_by) REFERENCES users (id);
DROP TABLE stop_latches;
"""


def upgrade() -> None:
    op.execute(_UPGRADE)


def downgrade() -> None:
    op.execute(_DOWNGRADE)
