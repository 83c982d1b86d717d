-- The schema of the first release, one section per owner. 0001_first_schema.py runs this file.
--
-- Enumerations are text with a check, so that a new value needs no change of type. Unique partial
-- indexes hold what must exist once among open or active rows. Times are timestamptz in UTC.

-- ================================================================================================
-- auth: users and sessions
-- ================================================================================================

-- Accounts of people. A robot authenticates by its key and has no row here.
CREATE TABLE users (
    id                 uuid        NOT NULL,
    email              text        NOT NULL,
    password_hash      text        NOT NULL,
    first_name         text        NOT NULL,
    last_name          text        NOT NULL,
    role               varchar(32) NOT NULL,
    phone_number       text,
    is_active          boolean     NOT NULL,
    token_epoch        integer     NOT NULL,
    preferred_language text        NOT NULL,
    email_verified_at  timestamptz,
    last_login_at      timestamptz,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_people_only CHECK (role <> 'ROBOT'),
    CONSTRAINT ck_users_role CHECK (role IN ('STUDENT', 'LIBRARIAN', 'ADMIN', 'ROBOT'))
);
CREATE INDEX ix_users_created_at ON users (created_at);
CREATE UNIQUE INDEX uq_users_email ON users (lower(email));

-- Signed-in devices: one family of refresh tokens each.
CREATE TABLE sessions (
    id            uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    refresh_hash  text        NOT NULL,
    previous_hash text,
    rotated_at    timestamptz,
    user_agent    text,
    ip_address    text,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    end_reason    text,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT uq_sessions_previous_hash UNIQUE (previous_hash),
    CONSTRAINT uq_sessions_refresh_hash UNIQUE (refresh_hash),
    CONSTRAINT fk_sessions_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX ix_sessions_user_id ON sessions (user_id) WHERE ended_at IS NULL;

-- ================================================================================================
-- robot: robots, their keys, the map
-- ================================================================================================

-- The last reported state, the connectivity as the server judges it, and the emergency stop.
CREATE TABLE robots (
    id                uuid             NOT NULL,
    robot_name        text             NOT NULL,
    model             text,
    status            varchar(32)      NOT NULL,
    connectivity      varchar(32)      NOT NULL,
    current_location  text,
    pose              jsonb,
    battery_level     double precision,
    charging          boolean          NOT NULL,
    docked            boolean          NOT NULL,
    speed             double precision,
    sensor_data       jsonb            NOT NULL,
    capabilities      jsonb            NOT NULL,
    software_version  text,
    last_heartbeat    timestamptz,
    epoch             integer          NOT NULL,
    boot_id           text,
    heartbeat_seq     bigint           NOT NULL,
    stop_version      bigint           NOT NULL,
    stopped_at        timestamptz,
    stopped_by        uuid,
    stop_reason       text,
    stop_scope        varchar(32),
    stop_received_at  timestamptz,
    motion_stopped_at timestamptz,
    stop_alerted_at   timestamptz,
    retired_at        timestamptz,
    created_at        timestamptz      NOT NULL,
    updated_at        timestamptz      NOT NULL,
    CONSTRAINT pk_robots PRIMARY KEY (id),
    CONSTRAINT uq_robots_robot_name UNIQUE (robot_name),
    CONSTRAINT fk_robots_stopped_by_users FOREIGN KEY (stopped_by) REFERENCES users (id),
    CONSTRAINT ck_robots_robotstatus
        CHECK (status IN ('IDLE', 'BUSY', 'NAVIGATING', 'ERROR', 'MAINTENANCE')),
    CONSTRAINT ck_robots_connectivity
        CHECK (connectivity IN ('NEVER_SEEN', 'ONLINE', 'STALE', 'OFFLINE')),
    CONSTRAINT ck_robots_stopscope CHECK (stop_scope IN ('ROBOT', 'FLEET'))
);

-- Keys of bridges, hashed. Two are valid while one replaces the other.
CREATE TABLE robot_keys (
    id         uuid        NOT NULL,
    robot_id   uuid        NOT NULL,
    prefix     text        NOT NULL,
    key_hash   text        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT pk_robot_keys PRIMARY KEY (id),
    CONSTRAINT uq_robot_keys_prefix UNIQUE (prefix),
    CONSTRAINT fk_robot_keys_robot_id_robots FOREIGN KEY (robot_id) REFERENCES robots (id)
);
CREATE INDEX ix_robot_keys_robot_id ON robot_keys (robot_id);

-- One-time codes by which a bridge obtains its key, hashed.
CREATE TABLE enrolment_codes (
    id         uuid        NOT NULL,
    robot_id   uuid        NOT NULL,
    code_hash  text        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT pk_enrolment_codes PRIMARY KEY (id),
    CONSTRAINT uq_enrolment_codes_code_hash UNIQUE (code_hash),
    CONSTRAINT fk_enrolment_codes_robot_id_robots FOREIGN KEY (robot_id) REFERENCES robots (id)
);

-- One row: the emergency stop of the whole fleet and the version of the map.
CREATE TABLE fleet_state (
    id           integer     NOT NULL,
    stop_version bigint      NOT NULL,
    stopped_at   timestamptz,
    stopped_by   uuid,
    stop_reason  text,
    map_version  integer     NOT NULL,
    CONSTRAINT pk_fleet_state PRIMARY KEY (id),
    CONSTRAINT fk_fleet_state_stopped_by_users FOREIGN KEY (stopped_by) REFERENCES users (id),
    CONSTRAINT ck_fleet_state_one_row CHECK (id = 1)
);

-- Places on the map; metres from the origin of their floor, theta in radians.
CREATE TABLE waypoints (
    id            uuid             NOT NULL,
    name          text             NOT NULL,
    location_code text             NOT NULL,
    kind          varchar(32)      NOT NULL,
    floor         integer          NOT NULL,
    x_coordinate  double precision NOT NULL,
    y_coordinate  double precision NOT NULL,
    z_coordinate  double precision NOT NULL,
    theta         double precision NOT NULL,
    metadata      jsonb            NOT NULL,
    is_active     boolean          NOT NULL,
    created_at    timestamptz      NOT NULL,
    CONSTRAINT pk_waypoints PRIMARY KEY (id),
    CONSTRAINT ck_waypoints_waypointkind
        CHECK (kind IN ('WORKSTATION', 'DELIVERY_POINT', 'RETURN_STATION', 'DOCK', 'JUNCTION'))
);
CREATE UNIQUE INDEX uq_waypoints_location_code ON waypoints (lower(location_code)) WHERE is_active;
CREATE UNIQUE INDEX uq_waypoints_name ON waypoints (lower(name)) WHERE is_active;

-- Drivable connections between waypoints; distance in metres.
CREATE TABLE waypoint_edges (
    id            uuid             NOT NULL,
    from_id       uuid             NOT NULL,
    to_id         uuid             NOT NULL,
    distance      double precision NOT NULL,
    bidirectional boolean          NOT NULL,
    closed_until  timestamptz,
    CONSTRAINT pk_waypoint_edges PRIMARY KEY (id),
    CONSTRAINT uq_waypoint_edges_from_id_to_id UNIQUE (from_id, to_id),
    CONSTRAINT fk_waypoint_edges_from_id_waypoints FOREIGN KEY (from_id)
        REFERENCES waypoints (id) ON DELETE CASCADE,
    CONSTRAINT fk_waypoint_edges_to_id_waypoints FOREIGN KEY (to_id)
        REFERENCES waypoints (id) ON DELETE CASCADE,
    CONSTRAINT ck_waypoint_edges_has_length CHECK (distance > 0)
);

-- One drawing per floor, with the scale and origin that place metres on it.
CREATE TABLE floor_plans (
    floor integer NOT NULL,
    name  text    NOT NULL,
    plan  jsonb   NOT NULL,
    svg   text    NOT NULL,
    CONSTRAINT pk_floor_plans PRIMARY KEY (floor)
);

INSERT INTO fleet_state (id, stop_version, map_version) VALUES (1, 0, 0);

-- Versions of the emergency stop only grow, over all robots and restarts.
CREATE SEQUENCE stop_versions;

-- ================================================================================================
-- book: titles, copies, imports
-- ================================================================================================

-- Titles. Triggers derive status and counts from the copies, and search from the text columns.
CREATE TABLE books (
    id                uuid        NOT NULL,
    isbn              text,
    other_identifiers jsonb       NOT NULL,
    title             text        NOT NULL,
    subtitle          text,
    author            text        NOT NULL,
    contributors      text[]      NOT NULL,
    publisher         text,
    publication_year  smallint,
    edition           text,
    description       text,
    subjects          text[]      NOT NULL,
    language          text,
    cover_image_url   text,
    call_number       text,
    shelf_location    text,
    status            varchar(32) DEFAULT 'UNAVAILABLE' NOT NULL,
    copies_total      integer     DEFAULT 0 NOT NULL,
    copies_available  integer     DEFAULT 0 NOT NULL,
    search            tsvector    DEFAULT '' NOT NULL,
    version           integer     NOT NULL,
    withdrawn_at      timestamptz,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CONSTRAINT pk_books PRIMARY KEY (id),
    CONSTRAINT ck_books_isbn_13 CHECK (isbn ~ '^97[89][0-9]{10}$'),
    CONSTRAINT ck_books_bookstatus
        CHECK (status IN ('AVAILABLE', 'RESERVED', 'CHECKED_OUT', 'UNAVAILABLE'))
);
CREATE INDEX ix_books_author ON books (lower(author), id);
CREATE INDEX ix_books_created_at ON books (created_at, id);
CREATE INDEX ix_books_language ON books (language, created_at, id);
CREATE INDEX ix_books_publication_year ON books (publication_year, id);
CREATE INDEX ix_books_search ON books USING gin (search);
CREATE INDEX ix_books_status ON books (status, created_at, id);
CREATE INDEX ix_books_subjects ON books USING gin (subjects);
CREATE INDEX ix_books_title ON books (lower(title), id);
CREATE UNIQUE INDEX uq_books_isbn ON books (isbn) WHERE isbn IS NOT NULL AND withdrawn_at IS NULL;

-- Physical volumes. People set the condition, events set the custody.
CREATE TABLE copies (
    id                  uuid        NOT NULL,
    book_id             uuid        NOT NULL,
    barcode             text        NOT NULL,
    condition           varchar(32) NOT NULL,
    custody             varchar(32) NOT NULL,
    shelf_location      text,
    call_number         text,
    home_workstation_id uuid,
    robot_transportable boolean     NOT NULL,
    note                text,
    last_seen_at        timestamptz,
    version             integer     NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    CONSTRAINT pk_copies PRIMARY KEY (id),
    CONSTRAINT uq_copies_barcode UNIQUE (barcode),
    CONSTRAINT fk_copies_book_id_books FOREIGN KEY (book_id) REFERENCES books (id),
    CONSTRAINT fk_copies_home_workstation_id_waypoints FOREIGN KEY (home_workstation_id)
        REFERENCES waypoints (id),
    CONSTRAINT ck_copies_condition
        CHECK (condition IN ('OK', 'REFERENCE_ONLY', 'IN_PROCESS', 'DAMAGED', 'MISSING', 'LOST',
            'WITHDRAWN')),
    CONSTRAINT ck_copies_custody
        CHECK (custody IN ('ON_SHELF', 'RESERVED', 'ON_ROBOT', 'ON_LOAN', 'ON_HOLD_SHELF',
            'AT_DESK'))
);
CREATE INDEX ix_copies_book_id ON copies (book_id, custody, condition);
CREATE INDEX ix_copies_shelf_location ON copies (shelf_location);

-- Imports of titles; offset and line are where the next batch begins in the file.
CREATE TABLE import_jobs (
    id          uuid        NOT NULL,
    created_by  uuid,
    state       varchar(32) NOT NULL,
    file_name   text,
    format      text        NOT NULL,
    encoding    text        NOT NULL,
    dry_run     boolean     NOT NULL,
    total       integer,
    processed   integer     NOT NULL,
    created     integer     NOT NULL,
    updated     integer     NOT NULL,
    unchanged   integer     NOT NULL,
    failed      integer     NOT NULL,
    warnings    integer     NOT NULL,
    "offset"    integer     NOT NULL,
    line        integer     NOT NULL,
    problem     text,
    created_at  timestamptz NOT NULL,
    started_at  timestamptz,
    finished_at timestamptz,
    CONSTRAINT pk_import_jobs PRIMARY KEY (id),
    CONSTRAINT fk_import_jobs_created_by_users FOREIGN KEY (created_by) REFERENCES users (id),
    CONSTRAINT ck_import_jobs_importstate
        CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'))
);

-- Uploaded files in pieces, so that any worker can read them.
CREATE TABLE import_files (
    job_id  uuid    NOT NULL,
    piece   integer NOT NULL,
    content bytea   NOT NULL,
    CONSTRAINT pk_import_files PRIMARY KEY (job_id, piece),
    CONSTRAINT fk_import_files_job_id_import_jobs FOREIGN KEY (job_id)
        REFERENCES import_jobs (id) ON DELETE CASCADE
);

-- Errors and warnings about single rows of an import.
CREATE TABLE import_rows (
    id       uuid        NOT NULL,
    job_id   uuid        NOT NULL,
    row      integer     NOT NULL,
    severity varchar(32) NOT NULL,
    field    text,
    value    text,
    code     text        NOT NULL,
    message  text        NOT NULL,
    CONSTRAINT pk_import_rows PRIMARY KEY (id),
    CONSTRAINT fk_import_rows_job_id_import_jobs FOREIGN KEY (job_id)
        REFERENCES import_jobs (id) ON DELETE CASCADE,
    CONSTRAINT ck_import_rows_severity CHECK (severity IN ('ERROR', 'WARNING'))
);
CREATE INDEX ix_import_rows_job_id ON import_rows (job_id, row);

-- books.status, copies_total and copies_available follow from the copies: the best usable copy
-- decides. The titles are locked first, so that concurrent changes are counted one after the other.
CREATE FUNCTION derive_books() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT book_id) INTO touched FROM after_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT book_id) INTO touched FROM before_rows;
    ELSE
        SELECT array_agg(DISTINCT book_id) INTO touched
        FROM (SELECT book_id FROM before_rows UNION SELECT book_id FROM after_rows) AS both_rows;
    END IF;
    PERFORM 1 FROM books WHERE id = ANY (touched) ORDER BY id FOR UPDATE;
    UPDATE books
    SET copies_total = counted.total,
        copies_available = counted.available,
        status = counted.status
    FROM (
        SELECT book.id,
               count(copy.id) FILTER (WHERE copy.condition <> 'WITHDRAWN') AS total,
               count(copy.id) FILTER (
                   WHERE copy.condition = 'OK' AND copy.custody = 'ON_SHELF'
               ) AS available,
               CASE max(CASE WHEN copy.condition <> 'OK' THEN 0
                             WHEN copy.custody = 'ON_SHELF' THEN 3
                             WHEN copy.custody = 'ON_LOAN' THEN 1
                             ELSE 2 END)
                   WHEN 3 THEN 'AVAILABLE'
                   WHEN 2 THEN 'RESERVED'
                   WHEN 1 THEN 'CHECKED_OUT'
                   ELSE 'UNAVAILABLE'
               END AS status
        FROM books AS book LEFT JOIN copies AS copy ON copy.book_id = book.id
        WHERE book.id = ANY (touched)
        GROUP BY book.id
    ) AS counted
    WHERE books.id = counted.id
      AND (books.copies_total, books.copies_available, books.status)
          IS DISTINCT FROM (counted.total, counted.available, counted.status);
    RETURN NULL;
END $$;

CREATE TRIGGER derive_books_insert AFTER INSERT ON copies
    REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION derive_books();
CREATE TRIGGER derive_books_update AFTER UPDATE ON copies
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION derive_books();
CREATE TRIGGER derive_books_delete AFTER DELETE ON copies
    REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION derive_books();

-- Normalizes text for indexing and searching: accents folded, apostrophes dropped, other
-- punctuation separates words ("Catch-22" is catch and 22). Not stemmed: titles are in many
-- languages.
CREATE FUNCTION words_of(given text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        translate(lower(unaccent(coalesce(given, ''))), '''`´', ''),
        '[[:punct:][:space:]]+', ' ', 'g'))
$$;

-- books.search, weighted: title and ISBN, people, subjects, publisher.
CREATE FUNCTION index_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search :=
        setweight(to_tsvector('simple', words_of(concat_ws(' ', NEW.title, NEW.isbn))), 'A') ||
        setweight(to_tsvector('simple', words_of(concat_ws(' ', NEW.author,
            array_to_string(NEW.contributors, ' ')))), 'B') ||
        setweight(to_tsvector('simple', words_of(concat_ws(' ', NEW.subtitle,
            array_to_string(NEW.subjects, ' ')))), 'C') ||
        setweight(to_tsvector('simple', words_of(NEW.publisher)), 'D');
    RETURN NEW;
END $$;

CREATE TRIGGER index_book BEFORE INSERT OR UPDATE OF
    title, isbn, author, contributors, subtitle, subjects, publisher ON books
    FOR EACH ROW EXECUTE FUNCTION index_book();

-- Numbers of generated barcodes (LB and eight digits).
CREATE SEQUENCE barcodes MAXVALUE 99999999;

-- ================================================================================================
-- book: loans
-- ================================================================================================

-- returned_at ends the loan (NULL: open); processed_at is when staff received the copy.
CREATE TABLE loans (
    id           uuid        NOT NULL,
    copy_id      uuid        NOT NULL,
    user_id      uuid,
    borrowed_at  timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,
    returned_at  timestamptz,
    processed_at timestamptz,
    renewals     integer     NOT NULL,
    channel      varchar(32) NOT NULL,
    state        varchar(32) NOT NULL,
    policy       jsonb       NOT NULL,
    CONSTRAINT pk_loans PRIMARY KEY (id),
    CONSTRAINT fk_loans_copy_id_copies FOREIGN KEY (copy_id) REFERENCES copies (id),
    CONSTRAINT fk_loans_user_id_users FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT ck_loans_loanchannel CHECK (channel IN ('ROBOT', 'DESK', 'RPC')),
    CONSTRAINT ck_loans_loanstate
        CHECK (state IN ('ACTIVE', 'RETURNED', 'CLAIMED_RETURNED', 'LOST'))
);
CREATE INDEX ix_loans_borrowed_at ON loans (borrowed_at, id);
CREATE INDEX ix_loans_due_at ON loans (due_at, id);
CREATE INDEX ix_loans_user_id ON loans (user_id, returned_at);
CREATE UNIQUE INDEX uq_loans_open_copy ON loans (copy_id) WHERE returned_at IS NULL;

-- ================================================================================================
-- delivery: requests and returns
-- ================================================================================================

-- Requests of students to have a copy delivered.
CREATE TABLE book_requests (
    id               uuid        NOT NULL,
    user_id          uuid        NOT NULL,
    book_id          uuid        NOT NULL,
    copy_id          uuid        NOT NULL,
    request_location text        NOT NULL,
    waypoint_id      uuid        NOT NULL,
    status           varchar(32) NOT NULL,
    notes            text,
    handover_code    text        NOT NULL,
    cancel_reason    text,
    requested_at     timestamptz NOT NULL,
    completed_at     timestamptz,
    CONSTRAINT pk_book_requests PRIMARY KEY (id),
    CONSTRAINT fk_book_requests_book_id_books FOREIGN KEY (book_id) REFERENCES books (id),
    CONSTRAINT fk_book_requests_copy_id_copies FOREIGN KEY (copy_id) REFERENCES copies (id),
    CONSTRAINT fk_book_requests_user_id_users FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_book_requests_waypoint_id_waypoints FOREIGN KEY (waypoint_id)
        REFERENCES waypoints (id),
    CONSTRAINT ck_book_requests_requeststatus
        CHECK (status IN ('PENDING', 'APPROVED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED'))
);
CREATE INDEX ix_book_requests_requested_at ON book_requests (requested_at, id);
CREATE INDEX ix_book_requests_user_id_status ON book_requests (user_id, status);
CREATE UNIQUE INDEX uq_book_requests_open_copy ON book_requests (copy_id)
    WHERE status NOT IN ('COMPLETED', 'CANCELLED');
CREATE UNIQUE INDEX uq_book_requests_open_user_book ON book_requests (user_id, book_id)
    WHERE status NOT IN ('COMPLETED', 'CANCELLED');

-- Requests of students to have a borrowed copy picked up.
CREATE TABLE book_returns (
    id              uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    book_id         uuid        NOT NULL,
    loan_id         uuid        NOT NULL,
    pickup_location text        NOT NULL,
    waypoint_id     uuid        NOT NULL,
    status          varchar(32) NOT NULL,
    cancel_reason   text,
    initiated_at    timestamptz NOT NULL,
    picked_up_at    timestamptz,
    completed_at    timestamptz,
    CONSTRAINT pk_book_returns PRIMARY KEY (id),
    CONSTRAINT fk_book_returns_book_id_books FOREIGN KEY (book_id) REFERENCES books (id),
    CONSTRAINT fk_book_returns_loan_id_loans FOREIGN KEY (loan_id) REFERENCES loans (id),
    CONSTRAINT fk_book_returns_user_id_users FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_book_returns_waypoint_id_waypoints FOREIGN KEY (waypoint_id)
        REFERENCES waypoints (id),
    CONSTRAINT ck_book_returns_returnstatus
        CHECK (status IN ('PENDING', 'PICKUP_SCHEDULED', 'PICKED_UP', 'COMPLETED', 'CANCELLED'))
);
CREATE INDEX ix_book_returns_initiated_at ON book_returns (initiated_at, id);
CREATE INDEX ix_book_returns_user_id_status ON book_returns (user_id, status);
CREATE UNIQUE INDEX uq_book_returns_open_loan ON book_returns (loan_id)
    WHERE status NOT IN ('COMPLETED', 'CANCELLED');

-- ================================================================================================
-- delivery: tasks, their history, loading proofs
-- ================================================================================================

-- Tasks of robots. Legal transitions: backend/shared/domain/workflow.py.
CREATE TABLE delivery_tasks (
    id                      uuid        NOT NULL,
    reference               text        NOT NULL,
    task_type               varchar(32) NOT NULL,
    status                  varchar(32) NOT NULL,
    stage                   varchar(32),
    priority                varchar(32) NOT NULL,
    request_id              uuid,
    return_id               uuid,
    book_id                 uuid        NOT NULL,
    copy_id                 uuid        NOT NULL,
    assigned_robot_id       uuid,
    source_location         text        NOT NULL,
    source_waypoint_id      uuid        NOT NULL,
    destination_location    text        NOT NULL,
    destination_waypoint_id uuid        NOT NULL,
    back_waypoint_id        uuid,
    created_by              uuid,
    recipient_id            uuid,
    loaded_by               uuid,
    attempt                 integer     NOT NULL,
    times_not_loaded        integer     NOT NULL,
    reminders               integer     NOT NULL,
    failure_reason          text,
    book_location           text,
    eta                     timestamptz,
    created_at              timestamptz NOT NULL,
    started_at              timestamptz,
    loaded_at               timestamptz,
    arrived_at              timestamptz,
    stage_since             timestamptz NOT NULL,
    completed_at            timestamptz,
    metadata                jsonb       NOT NULL,
    version                 integer     NOT NULL,
    CONSTRAINT pk_delivery_tasks PRIMARY KEY (id),
    CONSTRAINT uq_delivery_tasks_reference UNIQUE (reference),
    CONSTRAINT fk_delivery_tasks_assigned_robot_id_robots FOREIGN KEY (assigned_robot_id)
        REFERENCES robots (id),
    CONSTRAINT fk_delivery_tasks_back_waypoint_id_waypoints FOREIGN KEY (back_waypoint_id)
        REFERENCES waypoints (id),
    CONSTRAINT fk_delivery_tasks_book_id_books FOREIGN KEY (book_id) REFERENCES books (id),
    CONSTRAINT fk_delivery_tasks_copy_id_copies FOREIGN KEY (copy_id) REFERENCES copies (id),
    CONSTRAINT fk_delivery_tasks_created_by_users FOREIGN KEY (created_by) REFERENCES users (id),
    CONSTRAINT fk_delivery_tasks_destination_waypoint_id_waypoints
        FOREIGN KEY (destination_waypoint_id) REFERENCES waypoints (id),
    CONSTRAINT fk_delivery_tasks_loaded_by_users FOREIGN KEY (loaded_by) REFERENCES users (id),
    CONSTRAINT fk_delivery_tasks_recipient_id_users FOREIGN KEY (recipient_id)
        REFERENCES users (id),
    CONSTRAINT fk_delivery_tasks_request_id_book_requests FOREIGN KEY (request_id)
        REFERENCES book_requests (id),
    CONSTRAINT fk_delivery_tasks_return_id_book_returns FOREIGN KEY (return_id)
        REFERENCES book_returns (id),
    CONSTRAINT fk_delivery_tasks_source_waypoint_id_waypoints FOREIGN KEY (source_waypoint_id)
        REFERENCES waypoints (id),
    CONSTRAINT ck_delivery_tasks_travels_with_a_robot_and_a_stage
        CHECK (((status IN ('ASSIGNED', 'IN_PROGRESS')) = (stage IS NOT NULL)) AND (NOT (status IN
            ('ASSIGNED', 'IN_PROGRESS')) OR assigned_robot_id IS NOT NULL)),
    CONSTRAINT ck_delivery_tasks_stage_belongs_to_status
        CHECK ((status <> 'ASSIGNED' OR stage IN ('TO_SOURCE', 'LOADING')) AND (status <>
            'IN_PROGRESS' OR stage IN ('TO_DESTINATION', 'HANDOVER', 'BRINGING_BACK'))),
    CONSTRAINT ck_delivery_tasks_one_cause CHECK (num_nonnulls(request_id, return_id) <= 1),
    CONSTRAINT ck_delivery_tasks_tasktype
        CHECK (task_type IN ('STUDENT_DELIVERY', 'RETURN_PICKUP', 'INTER_STAFF', 'WORKSTATION',
            'TRANSFER')),
    CONSTRAINT ck_delivery_tasks_taskstatus
        CHECK (status IN ('PENDING', 'QUEUED', 'ASSIGNED', 'IN_PROGRESS', 'COMPLETED', 'FAILED',
            'CANCELLED')),
    CONSTRAINT ck_delivery_tasks_stage
        CHECK (stage IN ('TO_SOURCE', 'LOADING', 'TO_DESTINATION', 'HANDOVER', 'BRINGING_BACK')),
    CONSTRAINT ck_delivery_tasks_priority CHECK (priority IN ('LOW', 'NORMAL', 'HIGH', 'URGENT'))
);
CREATE INDEX ix_delivery_tasks_assigned_robot_id ON delivery_tasks (assigned_robot_id, created_at);
CREATE INDEX ix_delivery_tasks_created_at ON delivery_tasks (created_at, id);
CREATE INDEX ix_delivery_tasks_status_priority_created_at
    ON delivery_tasks (status, priority, created_at);
CREATE UNIQUE INDEX uq_delivery_tasks_active_robot ON delivery_tasks (assigned_robot_id)
    WHERE status IN ('ASSIGNED', 'IN_PROGRESS');
CREATE UNIQUE INDEX uq_delivery_tasks_open_copy ON delivery_tasks (copy_id)
    WHERE status NOT IN ('COMPLETED', 'CANCELLED');
CREATE UNIQUE INDEX uq_delivery_tasks_request_id ON delivery_tasks (request_id);
CREATE UNIQUE INDEX uq_delivery_tasks_return_id ON delivery_tasks (return_id);

-- Every transition of every task; robot_id and attempt as they were after it.
CREATE TABLE task_status_history (
    id          uuid        NOT NULL,
    task_id     uuid        NOT NULL,
    action      text        NOT NULL,
    from_status varchar(32),
    to_status   varchar(32) NOT NULL,
    from_stage  varchar(32),
    to_stage    varchar(32),
    changed_by  text        NOT NULL,
    reason      text,
    robot_id    uuid,
    attempt     integer     NOT NULL,
    created_at  timestamptz NOT NULL,
    CONSTRAINT pk_task_status_history PRIMARY KEY (id),
    CONSTRAINT fk_task_status_history_robot_id_robots FOREIGN KEY (robot_id) REFERENCES robots (id),
    CONSTRAINT fk_task_status_history_task_id_delivery_tasks FOREIGN KEY (task_id)
        REFERENCES delivery_tasks (id),
    CONSTRAINT ck_task_status_history_from_status
        CHECK (from_status IN ('PENDING', 'QUEUED', 'ASSIGNED', 'IN_PROGRESS', 'COMPLETED',
            'FAILED', 'CANCELLED')),
    CONSTRAINT ck_task_status_history_to_status
        CHECK (to_status IN ('PENDING', 'QUEUED', 'ASSIGNED', 'IN_PROGRESS', 'COMPLETED', 'FAILED',
            'CANCELLED')),
    CONSTRAINT ck_task_status_history_from_stage
        CHECK (from_stage IN ('TO_SOURCE', 'LOADING', 'TO_DESTINATION', 'HANDOVER',
            'BRINGING_BACK')),
    CONSTRAINT ck_task_status_history_to_stage
        CHECK (to_stage IN ('TO_SOURCE', 'LOADING', 'TO_DESTINATION', 'HANDOVER', 'BRINGING_BACK'))
);
CREATE INDEX ix_task_status_history_task_id ON task_status_history (task_id, id);

-- Confirmations by a person that a copy is on a robot: one per attempt.
CREATE TABLE loading_proofs (
    id           uuid        NOT NULL,
    task_id      uuid        NOT NULL,
    robot_id     uuid        NOT NULL,
    copy_id      uuid        NOT NULL,
    attempt      integer     NOT NULL,
    confirmed_by uuid        NOT NULL,
    confirmed_at timestamptz NOT NULL,
    CONSTRAINT pk_loading_proofs PRIMARY KEY (id),
    CONSTRAINT uq_loading_proofs_id_task_id_robot_id UNIQUE (id, task_id, robot_id),
    CONSTRAINT uq_loading_proofs_task_id_attempt UNIQUE (task_id, attempt),
    CONSTRAINT fk_loading_proofs_confirmed_by_users FOREIGN KEY (confirmed_by)
        REFERENCES users (id),
    CONSTRAINT fk_loading_proofs_copy_id_copies FOREIGN KEY (copy_id) REFERENCES copies (id),
    CONSTRAINT fk_loading_proofs_robot_id_robots FOREIGN KEY (robot_id) REFERENCES robots (id),
    CONSTRAINT fk_loading_proofs_task_id_delivery_tasks FOREIGN KEY (task_id)
        REFERENCES delivery_tasks (id)
);

-- ================================================================================================
-- robot: commands, reports, errors
-- ================================================================================================

-- Commands to bridges. A command that moves a loaded robot references its loading proof.
CREATE TABLE robot_commands (
    id                 uuid        NOT NULL,
    robot_id           uuid        NOT NULL,
    task_id            uuid,
    seq                bigint      GENERATED ALWAYS AS IDENTITY,
    type               varchar(32) NOT NULL,
    leg                varchar(32),
    target_waypoint_id uuid,
    loading_proof_id   uuid,
    payload            jsonb       NOT NULL,
    status             varchar(32) NOT NULL,
    lease_token        bigint,
    leased_until       timestamptz,
    epoch              integer,
    attempt            integer     NOT NULL,
    deadline           timestamptz,
    created_at         timestamptz NOT NULL,
    sent_at            timestamptz,
    accepted_at        timestamptz,
    started_at         timestamptz,
    finished_at        timestamptz,
    result             text,
    CONSTRAINT pk_robot_commands PRIMARY KEY (id),
    CONSTRAINT fk_robot_commands_loading_proof FOREIGN KEY (loading_proof_id, task_id, robot_id)
        REFERENCES loading_proofs (id, task_id, robot_id),
    CONSTRAINT fk_robot_commands_robot_id_robots FOREIGN KEY (robot_id) REFERENCES robots (id),
    CONSTRAINT fk_robot_commands_target_waypoint_id_waypoints FOREIGN KEY (target_waypoint_id)
        REFERENCES waypoints (id),
    CONSTRAINT fk_robot_commands_task_id_delivery_tasks FOREIGN KEY (task_id)
        REFERENCES delivery_tasks (id),
    CONSTRAINT ck_robot_commands_a_journey_names_its_leg
        CHECK ((type = 'NAVIGATE' AND task_id IS NOT NULL) = (leg IS NOT NULL)),
    CONSTRAINT ck_robot_commands_loaded_before_it_leaves
        CHECK (leg IS NULL OR leg = 'TO_SOURCE' OR loading_proof_id IS NOT NULL),
    CONSTRAINT ck_robot_commands_commandtype
        CHECK (type IN ('NAVIGATE', 'DOCK', 'UNDOCK', 'PAUSE', 'RESUME', 'CANCEL', 'ANNOUNCE')),
    CONSTRAINT ck_robot_commands_leg
        CHECK (leg IN ('TO_SOURCE', 'TO_DESTINATION', 'BRINGING_BACK')),
    CONSTRAINT ck_robot_commands_commandstatus
        CHECK (status IN ('QUEUED', 'LEASED', 'ACCEPTED', 'STARTED', 'UNKNOWN', 'SUCCEEDED',
            'FAILED', 'REFUSED', 'CANCELLED', 'VOID'))
);
CREATE INDEX ix_robot_commands_robot_id_seq ON robot_commands (robot_id, seq);
CREATE INDEX ix_robot_commands_task_id ON robot_commands (task_id);
CREATE INDEX ix_robot_commands_waiting ON robot_commands (robot_id, seq)
    WHERE status IN ('QUEUED', 'LEASED', 'ACCEPTED', 'STARTED', 'UNKNOWN');
CREATE UNIQUE INDEX uq_robot_commands_active_robot ON robot_commands (robot_id)
    WHERE type IN ('NAVIGATE', 'DOCK', 'UNDOCK') AND status IN ('QUEUED', 'LEASED', 'ACCEPTED',
        'STARTED', 'UNKNOWN');

-- Reports of bridges about commands; a repeated report gets the stored answer.
CREATE TABLE robot_command_reports (
    command_id   uuid        NOT NULL,
    event_seq    integer     NOT NULL,
    content_hash text        NOT NULL,
    answer       jsonb       NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT pk_robot_command_reports PRIMARY KEY (command_id, event_seq),
    CONSTRAINT fk_robot_command_reports_command_id_robot_commands FOREIGN KEY (command_id)
        REFERENCES robot_commands (id)
);

-- Errors reported by bridges.
CREATE TABLE robot_errors (
    id         uuid        NOT NULL,
    robot_id   uuid        NOT NULL,
    task_id    uuid,
    type       text        NOT NULL,
    level      text        NOT NULL,
    message    text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_robot_errors PRIMARY KEY (id),
    CONSTRAINT fk_robot_errors_robot_id_robots FOREIGN KEY (robot_id) REFERENCES robots (id),
    CONSTRAINT fk_robot_errors_task_id_delivery_tasks FOREIGN KEY (task_id)
        REFERENCES delivery_tasks (id)
);
CREATE INDEX ix_robot_errors_robot_id ON robot_errors (robot_id, created_at);

-- Lease tokens only grow, over all commands and restarts.
CREATE SEQUENCE lease_tokens;

-- ================================================================================================
-- notification
-- ================================================================================================

-- In-app notifications; an event notifies a user once.
CREATE TABLE notifications (
    id                uuid        NOT NULL,
    user_id           uuid        NOT NULL,
    event_id          uuid        NOT NULL,
    notification_type text        NOT NULL,
    title             text        NOT NULL,
    message           text        NOT NULL,
    payload           jsonb       NOT NULL,
    is_read           boolean     NOT NULL,
    created_at        timestamptz NOT NULL,
    read_at           timestamptz,
    CONSTRAINT pk_notifications PRIMARY KEY (id),
    CONSTRAINT uq_notifications_event_id_user_id UNIQUE (event_id, user_id),
    CONSTRAINT fk_notifications_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX ix_notifications_user_id_created_at ON notifications (user_id, created_at);
CREATE INDEX ix_notifications_user_id_is_read_created_at
    ON notifications (user_id, is_read, created_at);

-- ================================================================================================
-- shared: events, idempotency, heartbeats, audit
-- ================================================================================================

-- Events, written in the transaction of their change; acked_at: processed by every consumer.
CREATE TABLE outbox (
    id              uuid        NOT NULL,
    event_type      text        NOT NULL,
    source          text        NOT NULL,
    aggregate_type  text        NOT NULL,
    aggregate_id    uuid        NOT NULL,
    seq             bigint      NOT NULL,
    version         integer     NOT NULL,
    request_id      text,
    payload         jsonb       NOT NULL,
    created_at      timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    resends         integer     DEFAULT 0 NOT NULL,
    pos             bigint,
    shown_at        timestamptz,
    acked_at        timestamptz,
    dead_at         timestamptz,
    last_error      text,
    CONSTRAINT pk_outbox PRIMARY KEY (id)
);
CREATE INDEX ix_outbox_created_at ON outbox (created_at);
CREATE INDEX ix_outbox_due ON outbox (next_attempt_at, id)
    WHERE acked_at IS NULL AND dead_at IS NULL;
CREATE INDEX ix_outbox_not_shown ON outbox (id) WHERE shown_at IS NULL;
CREATE INDEX ix_outbox_pos ON outbox (pos);
CREATE UNIQUE INDEX uq_outbox_aggregate ON outbox (aggregate_type, aggregate_id, seq);

-- Last event number of each aggregate; the row lock orders concurrent writers.
CREATE TABLE aggregate_sequences (
    aggregate_type text   NOT NULL,
    aggregate_id   uuid   NOT NULL,
    seq            bigint NOT NULL,
    CONSTRAINT pk_aggregate_sequences PRIMARY KEY (aggregate_type, aggregate_id)
);

-- One row: the counter of the live view, which the relay increments under its lock.
CREATE TABLE live_position (
    id  integer NOT NULL,
    pos bigint  NOT NULL,
    CONSTRAINT pk_live_position PRIMARY KEY (id),
    CONSTRAINT ck_live_position_one_row CHECK (id = 1)
);

-- The inbox: written in the transaction of a consumer's effect.
CREATE TABLE processed_events (
    event_id     uuid        NOT NULL,
    consumer     text        NOT NULL,
    aggregate_id uuid        NOT NULL,
    seq          bigint      NOT NULL,
    processed_at timestamptz NOT NULL,
    CONSTRAINT pk_processed_events PRIMARY KEY (event_id, consumer)
);
CREATE INDEX ix_processed_events_order ON processed_events (consumer, aggregate_id, seq);
CREATE INDEX ix_processed_events_processed_at ON processed_events (processed_at);

-- Runs of a consumer that began and have not succeeded.
CREATE TABLE event_runs (
    event_id   uuid        NOT NULL,
    consumer   text        NOT NULL,
    runs       integer     NOT NULL,
    last_error text,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_event_runs PRIMARY KEY (event_id, consumer)
);

-- First answers of POST requests, written in the transaction that did the work.
CREATE TABLE idempotency_keys (
    actor      text        NOT NULL,
    key        text        NOT NULL,
    route      text        NOT NULL,
    body_hash  text        NOT NULL,
    status     integer     NOT NULL,
    location   text,
    answer     bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (actor, key)
);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);

-- Last heartbeat of every running process, and since when it has not missed one.
CREATE TABLE part_heartbeats (
    part     text        NOT NULL,
    instance text        NOT NULL,
    since    timestamptz NOT NULL,
    at       timestamptz NOT NULL,
    details  jsonb       NOT NULL,
    CONSTRAINT pk_part_heartbeats PRIMARY KEY (part, instance)
);

-- Who did what. Append-only for the application (see rights below).
CREATE TABLE audit_logs (
    id            uuid        NOT NULL,
    user_id       uuid,
    action        text        NOT NULL,
    resource_type text        NOT NULL,
    resource_id   text,
    changes       jsonb       NOT NULL,
    ip_address    text,
    request_id    text,
    created_at    timestamptz NOT NULL,
    CONSTRAINT pk_audit_logs PRIMARY KEY (id),
    CONSTRAINT fk_audit_logs_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX ix_audit_logs_created_at ON audit_logs (created_at, id);
CREATE INDEX ix_audit_logs_resource ON audit_logs (resource_type, resource_id, created_at);
CREATE INDEX ix_audit_logs_user_id ON audit_logs (user_id, created_at);

INSERT INTO live_position (id, pos) VALUES (1, 0);

-- Notifies the relay at commit.
CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('outbox', '');
    RETURN NULL;
END $$;

CREATE TRIGGER notify_outbox AFTER INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox();

-- ================================================================================================
-- rights
-- ================================================================================================

-- The application reads and writes rows. It can't alter the schema; the audit trail is append-only
-- for it, and entries of the task history and loading proofs can't be rewritten.
GRANT USAGE ON SCHEMA public TO luna_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO luna_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO luna_app;
REVOKE UPDATE, DELETE ON audit_logs FROM luna_app;
REVOKE UPDATE ON task_status_history, loading_proofs FROM luna_app;
REVOKE DELETE ON loading_proofs FROM luna_app;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM luna_app;
