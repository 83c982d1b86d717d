-- Creates the partition of a month, if it is missing, and moves its rows there from the default
-- partition, which takes what no month takes. Returns whether it was created.
CREATE FUNCTION create_month_partition(parent text, key text, month date) RETURNS boolean
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    child text := parent || to_char(month, '_YYYY_MM');
    past timestamptz := month + interval '1 month';
BEGIN
    IF to_regclass(child) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
    EXECUTE format('WITH moved AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *)
                    INSERT INTO %5$I SELECT * FROM moved',
                   parent || '_default', key, month::timestamptz, past, child);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   parent, child, month::timestamptz, past);
    RETURN true;
END $$;

-- Drops the partitions of months that ended before a time; returns their names.
CREATE FUNCTION drop_month_partitions(parent text, key text, before timestamptz) RETURNS text[]
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    child text;
    dropped text[] := '{}';
BEGIN
    FOR child IN SELECT inhrelid::regclass::text FROM pg_inherits
        WHERE inhparent = parent::regclass AND inhrelid::regclass::text ~ '_\d{4}_\d{2}$' LOOP
        IF to_date(right(child, 7), 'YYYY_MM')::timestamptz + interval '1 month' <= before THEN
            EXECUTE format('DROP TABLE %I', child);
            dropped := dropped || child;
        END IF;
    END LOOP;
    EXECUTE format('DELETE FROM %I WHERE %I < $1', parent || '_default', key) USING before;
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION create_month_partition, drop_month_partitions FROM PUBLIC;

-- The audit trail. Reads go on while it is copied.
LOCK TABLE audit_logs IN EXCLUSIVE MODE;
ALTER TABLE audit_logs RENAME CONSTRAINT pk_audit_logs TO pk_audit_logs_before;
ALTER INDEX ix_audit_logs_created_at RENAME TO ix_audit_logs_created_at_before;
ALTER INDEX ix_audit_logs_resource RENAME TO ix_audit_logs_resource_before;
ALTER INDEX ix_audit_logs_user_id RENAME TO ix_audit_logs_user_id_before;
ALTER TABLE audit_logs RENAME TO audit_logs_before;
CREATE TABLE audit_logs (LIKE audit_logs_before) PARTITION BY RANGE (created_at);
ALTER TABLE audit_logs
    ADD CONSTRAINT pk_audit_logs PRIMARY KEY (id, created_at),
    ADD CONSTRAINT fk_audit_logs_user_id_users FOREIGN KEY (user_id) REFERENCES users (id);
CREATE INDEX ix_audit_logs_created_at ON audit_logs (created_at, id);
CREATE INDEX ix_audit_logs_resource ON audit_logs (resource_type, resource_id, created_at);
CREATE INDEX ix_audit_logs_user_id ON audit_logs (user_id, created_at);
CREATE TABLE audit_logs_default PARTITION OF audit_logs DEFAULT;
SELECT create_month_partition('audit_logs', 'created_at', month::date)
FROM generate_series(
    (SELECT date_trunc('month', least(min(created_at), now()), 'UTC') FROM audit_logs_before),
    now() + interval '3 months', interval '1 month') AS month;
INSERT INTO audit_logs SELECT * FROM audit_logs_before;
DROP TABLE audit_logs_before;
GRANT SELECT, INSERT ON audit_logs TO luna_app;

-- What each robot was and where, by time.
CREATE TABLE robot_status_logs (
    -- version 7: sorted by time
    id            uuid        NOT NULL DEFAULT encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid()) PLACING substring(int8send(
            (extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
        52, 1), 53, 1), 'hex')::uuid,
    robot_id      uuid        NOT NULL,
    status        text        NOT NULL,
    connectivity  text        NOT NULL,
    location      text,
    pose          jsonb,
    battery_level double precision,
    charging      boolean     NOT NULL,
    sensor_data   jsonb       NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_robot_status_logs PRIMARY KEY (id, recorded_at),
    CONSTRAINT fk_robot_status_logs_robot_id_robots FOREIGN KEY (robot_id) REFERENCES robots (id)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX ix_robot_status_logs_robot_id ON robot_status_logs (robot_id, recorded_at);
CREATE TABLE robot_status_logs_default PARTITION OF robot_status_logs DEFAULT;
SELECT create_month_partition('robot_status_logs', 'recorded_at', month::date)
FROM generate_series(date_trunc('month', now(), 'UTC'), now() + interval '3 months',
                     interval '1 month') AS month;
GRANT SELECT, INSERT ON robot_status_logs TO luna_app;

-- Every change of state is logged; samples in between are the robot service's.
CREATE FUNCTION log_robot_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO robot_status_logs (robot_id, status, connectivity, location, pose, battery_level,
                                   charging, sensor_data)
    VALUES (NEW.id, NEW.status, NEW.connectivity, NEW.current_location, NEW.pose,
            NEW.battery_level, NEW.charging, NEW.sensor_data);
    RETURN NULL;
END $$;
CREATE TRIGGER log_robot_status AFTER UPDATE ON robots FOR EACH ROW
    WHEN ((OLD.status, OLD.connectivity, OLD.current_location, OLD.charging)
          IS DISTINCT FROM (NEW.status, NEW.connectivity, NEW.current_location, NEW.charging))
    EXECUTE FUNCTION log_robot_status();

-- Found by the daily deletion.
CREATE INDEX ix_delivery_tasks_completed_at ON delivery_tasks (completed_at)
    WHERE status IN ('COMPLETED', 'CANCELLED');
CREATE INDEX ix_task_status_history_created_at ON task_status_history (created_at);
CREATE INDEX ix_robot_errors_created_at ON robot_errors (created_at);
CREATE INDEX ix_robot_errors_task_id ON robot_errors (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX ix_import_jobs_finished_at ON import_jobs (finished_at);
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);
