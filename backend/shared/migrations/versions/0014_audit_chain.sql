-- One key per person: personal values in the audit trail are encrypted with it, so that deleting
-- the key erases them and changes no row.
CREATE TABLE person_keys (
    user_id uuid  NOT NULL,
    secret  bytea NOT NULL,
    CONSTRAINT pk_person_keys PRIMARY KEY (user_id),
    CONSTRAINT fk_person_keys_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE FUNCTION create_person_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO person_keys (user_id, secret)
    VALUES (NEW.id, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
    RETURN NULL;
END $$;
CREATE TRIGGER create_person_key AFTER INSERT ON users
    FOR EACH ROW EXECUTE FUNCTION create_person_key();
INSERT INTO person_keys (user_id, secret)
SELECT id, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
FROM users WHERE erased_at IS NULL;
GRANT SELECT ON person_keys TO luna_app;

-- Deletes the key of an erased account; nobody can delete another.
CREATE FUNCTION destroy_person_key(person uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE id = person AND erased_at IS NOT NULL) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the account is not erased';
    END IF;
    DELETE FROM person_keys WHERE user_id = person;
END $$;
REVOKE ALL ON FUNCTION create_person_key, destroy_person_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION destroy_person_key TO luna_app;
DROP FUNCTION erase_audit_of;

-- The hash chain of each month of the audit trail. Entries are chained at commit, in the order of
-- an advisory lock, so that no transaction waits for another before that.
CREATE TABLE audit_chain (
    month         date   NOT NULL,
    seq           bigint NOT NULL,
    audit_id      uuid   NOT NULL,
    previous_hash bytea  NOT NULL,
    hash          bytea  NOT NULL,
    CONSTRAINT pk_audit_chain PRIMARY KEY (month, seq),
    CONSTRAINT uq_audit_chain_audit_id UNIQUE (audit_id)
);
GRANT SELECT ON audit_chain TO luna_app;

CREATE FUNCTION audit_hash(
    previous bytea, id uuid, user_id uuid, action text, resource_type text, resource_id text,
    changes jsonb, ip_address text, request_id text, created_at timestamptz
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    sha256(previous || convert_to(jsonb_build_array(
        id, user_id, action, resource_type, resource_id, changes, ip_address, request_id,
        extract(epoch FROM created_at))::text, 'UTF8'));

CREATE FUNCTION chain_audit_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    of_month date := date_trunc('month', NEW.created_at);
    last_seq bigint;
    last_hash bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_chain'), of_month - date '2000-01-01');
    SELECT seq, hash INTO last_seq, last_hash FROM audit_chain
        WHERE month = of_month ORDER BY seq DESC LIMIT 1;
    last_hash := coalesce(last_hash, sha256(convert_to(of_month::text, 'UTF8')));
    INSERT INTO audit_chain (month, seq, audit_id, previous_hash, hash)
    VALUES (of_month, coalesce(last_seq, 0) + 1, NEW.id, last_hash, audit_hash(
        last_hash, NEW.id, NEW.user_id, NEW.action, NEW.resource_type, NEW.resource_id,
        NEW.changes, NEW.ip_address, NEW.request_id, NEW.created_at));
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION chain_audit_entry FROM PUBLIC;

-- Names every entry that was changed, deleted or added behind the chain, and every broken link.
CREATE FUNCTION verify_audit() RETURNS TABLE (month date, seq bigint, audit_id uuid, problem text)
LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    WITH chain AS (
        SELECT c.*, row_number() OVER numbered AS place,
            coalesce(lag(c.hash) OVER numbered, sha256(convert_to(c.month::text, 'UTF8'))) AS before
        FROM audit_chain AS c WINDOW numbered AS (PARTITION BY c.month ORDER BY c.seq)
    ), checked AS (
        SELECT c.month, c.seq, c.audit_id, CASE
            WHEN a.id IS NULL THEN 'deleted'
            WHEN c.seq <> c.place OR c.previous_hash <> c.before THEN 'broken link'
            WHEN c.hash <> audit_hash(
                c.previous_hash, a.id, a.user_id, a.action, a.resource_type, a.resource_id,
                a.changes, a.ip_address, a.request_id, a.created_at) THEN 'changed'
        END AS problem
        FROM chain AS c LEFT JOIN audit_logs AS a
            ON a.id = c.audit_id AND date_trunc('month', a.created_at) = c.month
    )
    SELECT * FROM checked WHERE checked.problem IS NOT NULL
    UNION ALL
    SELECT date_trunc('month', a.created_at)::date, NULL, a.id, 'not in the chain'
    FROM audit_logs AS a
    WHERE NOT EXISTS (SELECT FROM audit_chain AS c WHERE c.audit_id = a.id)
    ORDER BY 1, 2
$$;

-- Dropping expired months drops their chains.
CREATE OR REPLACE FUNCTION drop_month_partitions(parent text, key text, before timestamptz)
RETURNS text[] LANGUAGE plpgsql SET timezone = 'UTC' AS $$
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
    IF parent = 'audit_logs' THEN
        DELETE FROM audit_chain AS c
            WHERE NOT EXISTS (SELECT FROM audit_logs AS a WHERE a.id = c.audit_id)
            AND c.month + interval '1 month' <= before;
    END IF;
    RETURN dropped;
END $$;
