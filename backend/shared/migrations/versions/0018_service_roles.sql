-- SELECT ... FOR UPDATE needs the right to update a column: this one, and no other, for services
-- that lock a user's row.
ALTER TABLE users ADD COLUMN lock_version integer NOT NULL DEFAULT 0;

-- Triggers that write tables of others do it with the owner's rights.
ALTER FUNCTION derive_books SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION log_robot_status SECURITY DEFINER SET search_path = public, pg_temp;

-- Creates the account of a member: a student without a password. Returns no row when the address
-- has an account.
CREATE FUNCTION create_member(
    member uuid, address text, first_name text, last_name text, phone_number text,
    created timestamptz
) RETURNS SETOF users
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO users (id, email, password_hash, first_name, last_name, role, phone_number,
                       is_active, token_epoch, preferred_language, created_at, updated_at)
    VALUES (member, address, '!', first_name, last_name, 'STUDENT', phone_number,
            true, 0, 'en', created, created)
    ON CONFLICT (lower(email)) DO NOTHING
    RETURNING *
$$;

-- Erases what is held about a person whose account the auth service has deactivated, and destroys
-- the key of their values in the audit trail. Rows that the library must keep name nobody.
CREATE FUNCTION erase_person(person uuid, erased timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM sessions WHERE user_id = person AND ended_at IS NULL
               AND expires_at > erased)
        OR EXISTS (SELECT FROM loans WHERE user_id = person AND returned_at IS NULL)
    THEN
        RAISE insufficient_privilege USING MESSAGE = 'the account is in use';
    END IF;
    DELETE FROM account_tokens WHERE user_id = person;
    DELETE FROM login_challenges WHERE user_id = person;
    DELETE FROM recovery_codes WHERE user_id = person;
    DELETE FROM totp_factors WHERE user_id = person;
    DELETE FROM notification_deliveries WHERE user_id = person;
    DELETE FROM notifications WHERE user_id = person;
    DELETE FROM notification_preferences WHERE user_id = person;
    DELETE FROM push_subscriptions WHERE user_id = person;
    DELETE FROM ws_tickets WHERE user_id = person;
    DELETE FROM known_devices WHERE user_id = person;
    DELETE FROM idempotency_keys WHERE actor = person::text;
    UPDATE sessions SET user_agent = NULL, ip_address = NULL WHERE user_id = person;
    UPDATE alerts SET reason = NULL WHERE kind = 'REQUEST_PROBLEM' AND task_id IN (
        SELECT t.id FROM delivery_tasks AS t JOIN book_requests AS r ON r.id = t.request_id
        WHERE r.user_id = person);
    UPDATE book_requests SET notes = NULL WHERE user_id = person;
    UPDATE users SET email = id || '@erased.invalid', first_name = 'Erased', last_name = 'Erased',
        phone_number = NULL, password_hash = '!', is_active = false, email_verified_at = NULL,
        last_login_at = NULL, erased_at = erased, updated_at = erased
        WHERE id = person;
    DELETE FROM person_keys WHERE user_id = person;
END $$;
DROP FUNCTION destroy_person_key;

-- The upkeep of partitions. Only these tables have them; of the audit trail the last thirty days
-- stay, whatever is asked for.
CREATE FUNCTION partition_key(parent text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    CASE parent
        WHEN 'audit_logs' THEN RETURN 'created_at';
        WHEN 'robot_status_logs' THEN RETURN 'recorded_at';
        ELSE RAISE invalid_parameter_value USING MESSAGE = 'no partitioned table: ' || parent;
    END CASE;
END $$;
CREATE FUNCTION add_month(parent text, month date) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
RETURN create_month_partition(parent, partition_key(parent), month);
CREATE FUNCTION drop_expired_months(parent text, before timestamptz) RETURNS text[]
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
RETURN drop_month_partitions(parent, partition_key(parent), CASE parent
    WHEN 'audit_logs' THEN least(before, now() - interval '30 days') ELSE before END);
REVOKE ALL ON FUNCTION create_member, erase_person, add_month, drop_expired_months FROM PUBLIC;
