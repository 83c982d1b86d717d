ALTER TABLE copies
    ADD COLUMN kind varchar(32) NOT NULL DEFAULT 'STANDARD',
    ADD CONSTRAINT ck_copies_copykind CHECK (kind IN ('STANDARD', 'SHORT_LOAN'));
CREATE INDEX ix_copies_custody ON copies (custody, id) WHERE custody <> 'ON_SHELF';
CREATE INDEX ix_copies_condition ON copies (condition, id) WHERE condition <> 'OK';

ALTER TABLE loans
    ADD COLUMN notice_step smallint NOT NULL DEFAULT 0,
    ADD COLUMN version integer NOT NULL DEFAULT 1;
CREATE INDEX ix_loans_copy_id ON loans (copy_id, borrowed_at);
CREATE INDEX ix_loans_open_due_at ON loans (due_at, id) WHERE returned_at IS NULL;

-- The queue of a title: the lowest sequence that is QUEUED and not suspended is served first.
CREATE TABLE holds (
    id              uuid        NOT NULL,
    book_id         uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    placed_at       timestamptz NOT NULL,
    sequence        bigint      NOT NULL,
    suspended_until timestamptz,
    status          varchar(32) NOT NULL,
    copy_id         uuid,
    ready_at        timestamptz,
    ready_until     timestamptz,
    closed_at       timestamptz,
    version         integer     NOT NULL,
    CONSTRAINT pk_holds PRIMARY KEY (id),
    CONSTRAINT fk_holds_book_id_books FOREIGN KEY (book_id) REFERENCES books (id),
    CONSTRAINT fk_holds_user_id_users FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk_holds_copy_id_copies FOREIGN KEY (copy_id) REFERENCES copies (id),
    CONSTRAINT ck_holds_holdstatus
        CHECK (status IN ('QUEUED', 'READY', 'FULFILLED', 'EXPIRED', 'CANCELLED')),
    CONSTRAINT ck_holds_ready_hold_has_a_copy
        CHECK ((status = 'READY') <= (copy_id IS NOT NULL AND ready_until IS NOT NULL)),
    CONSTRAINT ck_holds_queued_hold_has_no_copy CHECK (status <> 'QUEUED' OR copy_id IS NULL)
);
CREATE UNIQUE INDEX uq_holds_open_user_book ON holds (user_id, book_id)
    WHERE status IN ('QUEUED', 'READY');
CREATE UNIQUE INDEX uq_holds_ready_copy ON holds (copy_id) WHERE status = 'READY';
CREATE UNIQUE INDEX uq_holds_queue ON holds (book_id, sequence) WHERE status = 'QUEUED';
CREATE INDEX ix_holds_ready_until ON holds (ready_until) WHERE status = 'READY';
CREATE INDEX ix_holds_suspended_until ON holds (suspended_until)
    WHERE suspended_until IS NOT NULL;
CREATE INDEX ix_holds_user_id ON holds (user_id, placed_at);
CREATE INDEX ix_holds_book_id ON holds (book_id, placed_at);
CREATE INDEX ix_holds_placed_at ON holds (placed_at, id);
CREATE INDEX ix_holds_copy_id ON holds (copy_id);

CREATE TABLE loan_policies (
    role         varchar(32) NOT NULL,
    kind         varchar(32) NOT NULL,
    loan_days    integer     NOT NULL,
    max_renewals integer     NOT NULL,
    max_loans    integer     NOT NULL,
    max_overdue  integer     NOT NULL,
    max_holds    integer     NOT NULL,
    hold_days    integer     NOT NULL,
    CONSTRAINT pk_loan_policies PRIMARY KEY (role, kind),
    CONSTRAINT ck_loan_policies_role CHECK (role IN ('STUDENT', 'LIBRARIAN', 'ADMIN', 'ROBOT')),
    CONSTRAINT ck_loan_policies_copykind CHECK (kind IN ('STANDARD', 'SHORT_LOAN'))
);

-- Without any row the library is open from Monday to Saturday.
CREATE TABLE calendar (
    id      uuid NOT NULL,
    weekday smallint,
    day     date,
    opens   time,
    closes  time,
    note    text,
    CONSTRAINT pk_calendar PRIMARY KEY (id),
    CONSTRAINT uq_calendar_weekday UNIQUE (weekday),
    CONSTRAINT uq_calendar_day UNIQUE (day),
    CONSTRAINT ck_calendar_weekday_or_day CHECK (num_nonnulls(weekday, day) = 1),
    CONSTRAINT ck_calendar_weekday CHECK (weekday BETWEEN 0 AND 6),
    CONSTRAINT ck_calendar_hours
        CHECK (num_nonnulls(opens, closes) <> 1 AND (opens IS NULL OR opens < closes))
);

CREATE TABLE notice_days (
    user_id uuid NOT NULL,
    day     date NOT NULL,
    CONSTRAINT pk_notice_days PRIMARY KEY (user_id, day),
    CONSTRAINT fk_notice_days_user_id_users FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);

GRANT SELECT, INSERT, UPDATE, DELETE ON holds, loan_policies, calendar, notice_days TO luna_app;
