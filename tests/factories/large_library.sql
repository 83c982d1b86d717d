-- A library after two years of use: INSERT … SELECT for every table that grows. Ids are of version 7
-- and grow with n, as those of the application grow with time.
CREATE FUNCTION pg_temp.row_id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT ('0198' || lpad(to_hex(n), 8, '0') || '70008000000000000000')::uuid $$;
CREATE FUNCTION pg_temp.minutes_ago(n bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT now() - n * interval '1 minute' $$;

-- Triggers fire, so that PostgreSQL derives the words of the search.
SET session_replication_role = origin;

INSERT INTO books (id, other_identifiers, isbn, title, author, contributors, subjects,
    publication_year, language, status, copies_total, copies_available, version, created_at,
    updated_at)
SELECT pg_temp.row_id(n) AS id, '{}'::jsonb AS other_identifiers,
       '978' || lpad(n::text, 10, '0') AS isbn,
       'The ' || (ARRAY['history', 'theory', 'art', 'future', 'practice'])[1 + n % 5]
           || ' of ' || md5((n % 4000)::text) || ', volume ' || n % 7 AS title,
       md5((n % 3000)::text) || ' Writer' AS author, '{}'::text[] AS contributors,
       ARRAY['subject ' || n % 90] AS subjects, 1900 + n % 120 AS publication_year,
       CASE n % 10 WHEN 0 THEN 'tr' ELSE 'en' END AS language,
       CASE WHEN n % 20 = 0 THEN 'CHECKED_OUT' ELSE 'AVAILABLE' END AS status,
       2 AS copies_total, 2 AS copies_available, 1 AS version,
       pg_temp.minutes_ago(:titles - n) AS created_at, now() AS updated_at
FROM generate_series(1, :titles) AS n;

-- No trigger and no foreign key is checked from here on: the rows fit together by construction.
SET session_replication_role = replica;

INSERT INTO users (id, email, password_hash, first_name, last_name, role, is_active, token_epoch,
    preferred_language, created_at, updated_at)
SELECT pg_temp.row_id(n) AS id, 'member' || n || '@example.org' AS email,
       'argon2' AS password_hash, 'Ada' AS first_name, 'Member' || n AS last_name,
       CASE WHEN n % 500 = 0 THEN 'LIBRARIAN' ELSE 'STUDENT' END AS role,
       true AS is_active, 0 AS token_epoch, 'en' AS preferred_language,
       now() AS created_at, now() AS updated_at
FROM generate_series(1, 20000) AS n;

INSERT INTO sessions (id, user_id, refresh_hash, created_at, expires_at, ended_at)
SELECT pg_temp.row_id(n) AS id, pg_temp.row_id(1 + n % 20000) AS user_id,
       md5(n::text) AS refresh_hash, pg_temp.minutes_ago(n) AS created_at,
       now() + interval '7 days' AS expires_at,
       CASE WHEN n % 3 = 0 THEN now() END AS ended_at
FROM generate_series(1, 30000) AS n;

INSERT INTO waypoints (id, name, location_code, kind, floor, x_coordinate, y_coordinate,
    z_coordinate, theta, metadata, is_active, created_at)
SELECT pg_temp.row_id(n) AS id, 'Room ' || n AS name, 'R-' || n AS location_code,
       CASE WHEN n < 3 THEN 'WORKSTATION' ELSE 'DELIVERY_POINT' END AS kind, 1 AS floor,
       n AS x_coordinate, 0 AS y_coordinate, 0 AS z_coordinate, 0 AS theta,
       '{}'::jsonb AS metadata, true AS is_active, now() AS created_at
FROM generate_series(1, 60) AS n;

INSERT INTO waypoint_edges (id, from_id, to_id, distance, bidirectional, kind)
SELECT pg_temp.row_id(n) AS id, pg_temp.row_id(n) AS from_id,
       pg_temp.row_id(n + 1) AS to_id, 1 AS distance, true AS bidirectional,
       'CORRIDOR' AS kind
FROM generate_series(1, 59) AS n;

INSERT INTO robots (id, robot_name, status, connectivity, battery_level, charging, docked, pose,
    sensor_data, capabilities, epoch, heartbeat_seq, stop_version, last_heartbeat, created_at,
    updated_at)
SELECT pg_temp.row_id(n) AS id, 'robot-' || n AS robot_name,
       CASE WHEN n > 150 THEN 'BUSY' WHEN n > 145 THEN 'IDLE' ELSE 'MAINTENANCE' END
           AS status,
       'ONLINE' AS connectivity,
       0.9 AS battery_level, false AS charging, false AS docked,
       '{"x": 1, "y": 0, "theta": 0, "floor": 1}'::jsonb AS pose,
       '{}'::jsonb AS sensor_data, '{}'::jsonb AS capabilities, 1 AS epoch,
       0 AS heartbeat_seq, 0 AS stop_version, now() AS last_heartbeat,
       now() AS created_at, now() AS updated_at
FROM generate_series(1, 200) AS n;

INSERT INTO copies (id, book_id, barcode, condition, custody, shelf_location, robot_transportable,
    version, created_at, updated_at)
SELECT pg_temp.row_id(n) AS id, pg_temp.row_id(1 + n % 20000) AS book_id,
       'LUNA-' || lpad(n::text, 8, '0') AS barcode, 'OK' AS condition,
       CASE WHEN n % 20 = 0 THEN 'ON_LOAN' ELSE 'ON_SHELF' END AS custody,
       'A-' || n % 900 AS shelf_location, true AS robot_transportable, 1 AS version,
       now() AS created_at, now() AS updated_at
FROM generate_series(1, 40000) AS n;

-- The last four thousand and every 32nd of the first sixteen thousand are still open.
INSERT INTO loans (id, copy_id, user_id, borrowed_at, due_at, returned_at, renewals, channel, state,
    policy)
SELECT pg_temp.row_id(n) AS id, pg_temp.row_id(1 + n % 40000) AS copy_id,
       pg_temp.row_id(1 + n % 20000) AS user_id,
       pg_temp.minutes_ago(10 * (100000 - n)) AS borrowed_at,
       pg_temp.minutes_ago(10 * (100000 - n) - 40320) AS due_at,
       CASE WHEN open THEN NULL ELSE pg_temp.minutes_ago(10 * (100000 - n)) END
           AS returned_at,
       0 AS renewals, 'ROBOT' AS channel,
       CASE WHEN open THEN 'ACTIVE' ELSE 'RETURNED' END AS state, '{}'::jsonb AS policy
FROM generate_series(1, 100000) AS n,
     LATERAL (SELECT n > 100000 - 4000 OR (n <= 16000 AND n % 32 = 7) AS open) AS state;

INSERT INTO book_requests (id, user_id, book_id, copy_id, request_location, waypoint_id, status,
    handover_code, code_tries, requested_at)
SELECT pg_temp.row_id(n) AS id, pg_temp.row_id(1 + n % 20000) AS user_id,
       pg_temp.row_id(1 + n % 20000) AS book_id,
       pg_temp.row_id(1 + n % 40000) AS copy_id, 'Room 7' AS request_location,
       pg_temp.row_id(7) AS waypoint_id,
       CASE WHEN n > 60000 - 200 THEN 'APPROVED' WHEN n % 20 = 0 THEN 'CANCELLED'
            ELSE 'COMPLETED' END AS status, '1234' AS handover_code,
       0 AS code_tries,
       pg_temp.minutes_ago(20 * (60000 - n)) AS requested_at
FROM generate_series(1, 60000) AS n;

INSERT INTO book_returns (id, user_id, book_id, loan_id, pickup_location, waypoint_id, status,
    initiated_at)
SELECT pg_temp.row_id(n) AS id, pg_temp.row_id(1 + n % 20000) AS user_id,
       pg_temp.row_id(1 + n % 20000) AS book_id, pg_temp.row_id(n) AS loan_id,
       'Room 8' AS pickup_location, pg_temp.row_id(8) AS waypoint_id,
       'COMPLETED' AS status, pg_temp.minutes_ago(20 * (40000 - n)) AS initiated_at
FROM generate_series(1, 40000) AS n;

-- 200 open tasks, of which 50 travel; the others have ended.
INSERT INTO delivery_tasks (id, reference, task_type, status, stage, priority, request_id,
    return_id, book_id, copy_id, assigned_robot_id, source_location, source_waypoint_id,
    destination_location, destination_waypoint_id, attempt, times_not_loaded, reminders,
    extensions, metadata, created_at, stage_since, version)
SELECT pg_temp.row_id(n) AS id, 'T' || n AS reference,
       CASE WHEN n <= 60000 THEN 'STUDENT_DELIVERY' ELSE 'RETURN_PICKUP' END
           AS task_type,
       CASE WHEN age >= 200 THEN CASE WHEN n % 20 = 0 THEN 'CANCELLED' ELSE 'COMPLETED' END
            WHEN age >= 50 THEN 'QUEUED' WHEN age >= 25 THEN 'ASSIGNED'
            ELSE 'IN_PROGRESS' END AS status,
       CASE WHEN age >= 50 THEN NULL WHEN age >= 25 THEN 'LOADING'
            ELSE 'TO_DESTINATION' END AS stage,
       CASE WHEN n % 10 = 0 THEN 'HIGH' ELSE 'NORMAL' END AS priority,
       CASE WHEN n <= 60000 THEN pg_temp.row_id(n) END AS request_id,
       CASE WHEN n > 60000 THEN pg_temp.row_id(n - 60000) END AS return_id,
       pg_temp.row_id(1 + n % 20000) AS book_id,
       pg_temp.row_id(1 + n % 40000) AS copy_id,
       pg_temp.row_id(CASE WHEN age < 50 THEN 151 + age ELSE 1 + n % 200 END)
           AS assigned_robot_id,
       'Desk' AS source_location, pg_temp.row_id(1) AS source_waypoint_id,
       'Room 7' AS destination_location, pg_temp.row_id(7) AS destination_waypoint_id,
       1 AS attempt, 0 AS times_not_loaded, 0 AS reminders, 0 AS extensions, '{}'::jsonb AS metadata,
       pg_temp.minutes_ago(10 * age) AS created_at, pg_temp.minutes_ago(10 * age)
           AS stage_since, 1 AS version
FROM generate_series(1, 100000) AS n,
     LATERAL (SELECT (60000 + 100000 - n) % 100000 AS age) AS counted;

INSERT INTO task_status_history (id, task_id, action, from_status, to_status, changed_by, attempt,
    created_at)
SELECT pg_temp.row_id(n) AS id, pg_temp.row_id(1 + n % 100000) AS task_id,
       'TAKE' AS action, 'PENDING' AS from_status, 'QUEUED' AS to_status,
       'dispatcher' AS changed_by, 1 AS attempt, now() AS created_at
FROM generate_series(1, 200000) AS n;

INSERT INTO robot_commands (id, robot_id, task_id, type, leg, payload, attempt, epoch, status,
    leased_until, created_at)
SELECT pg_temp.row_id(n) AS id, pg_temp.row_id(1 + (n - 1) % 200) AS robot_id,
       pg_temp.row_id(n) AS task_id, 'NAVIGATE' AS type, 'TO_SOURCE' AS leg,
       '{}'::jsonb AS payload, 1 AS attempt, 1 AS epoch,
       CASE WHEN n > 100000 - 50 THEN 'STARTED' ELSE 'SUCCEEDED' END AS status,
       now() + interval '20 seconds' AS leased_until, pg_temp.minutes_ago(100000 - n)
           AS created_at
FROM generate_series(1, 100000) AS n;

INSERT INTO notifications (id, user_id, event_id, notification_type, title, message, payload,
    is_read, created_at)
SELECT pg_temp.row_id(n) AS id, pg_temp.row_id(1 + n % 20000) AS user_id,
       pg_temp.row_id(n) AS event_id, 'LOAN_OPENED' AS notification_type,
       'A title' AS title, 'A message' AS message, '{}'::jsonb AS payload,
       n % 4 > 0 AS is_read, pg_temp.minutes_ago(100000 - n) AS created_at
FROM generate_series(1, 100000) AS n;

INSERT INTO outbox (id, event_type, source, aggregate_type, aggregate_id, seq, version, payload,
    resends, pos, created_at, next_attempt_at, shown_at, acked_at)
SELECT pg_temp.row_id(n) AS id, 'robot.command.started' AS event_type,
       'robot-service' AS source, 'robot' AS aggregate_type,
       pg_temp.row_id(1 + n % 200) AS aggregate_id, n AS seq, 1 AS version,
       '{}'::jsonb AS payload, 0 AS resends, n AS pos,
       pg_temp.minutes_ago((100000 - n) / 5) AS created_at,
       pg_temp.minutes_ago((100000 - n) / 5) AS next_attempt_at,
       now() AS shown_at, CASE WHEN n <= 99800 THEN now() END AS acked_at
FROM generate_series(1, 100000) AS n;

INSERT INTO processed_events (event_id, consumer, aggregate_id, seq, processed_at)
SELECT pg_temp.row_id(n) AS event_id, 'delivery.follow_command' AS consumer,
       pg_temp.row_id(1 + n % 200) AS aggregate_id, n AS seq,
       pg_temp.minutes_ago((100000 - n) / 5) AS processed_at
FROM generate_series(1, 99800) AS n;

INSERT INTO idempotency_keys (actor, key, route, body_hash, status, answer, created_at)
SELECT pg_temp.row_id(1 + n % 20000)::text AS actor, n::text AS key,
       'POST /requests' AS route, 'hash' AS body_hash, 201 AS status,
       'answer'::bytea AS answer, pg_temp.minutes_ago((20000 - n) / 20) AS created_at
FROM generate_series(1, 20000) AS n;
