CREATE TABLE notification_preferences (
    user_id     uuid  NOT NULL,
    channels    jsonb NOT NULL,
    quiet_from  time,
    quiet_until time,
    language    text,
    CONSTRAINT pk_notification_preferences PRIMARY KEY (user_id),
    CONSTRAINT fk_notification_preferences_user_id_users FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_notification_preferences_quiet_hours
        CHECK (num_nonnulls(quiet_from, quiet_until) <> 1)
);
CREATE TABLE push_subscriptions (
    id         uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    endpoint   text        NOT NULL,
    p256dh     text        NOT NULL,
    auth       text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_push_subscriptions PRIMARY KEY (id),
    CONSTRAINT uq_push_subscriptions_endpoint UNIQUE (endpoint),
    CONSTRAINT fk_push_subscriptions_user_id_users FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_push_subscriptions_user_id ON push_subscriptions (user_id);
CREATE TABLE notification_deliveries (
    id                uuid        NOT NULL,
    user_id           uuid        NOT NULL,
    event_id          uuid        NOT NULL,
    notification_type text        NOT NULL,
    channel           varchar(32) NOT NULL,
    title             text        NOT NULL,
    message           text        NOT NULL,
    payload           jsonb       NOT NULL,
    status            varchar(32) NOT NULL,
    attempts          integer     NOT NULL,
    next_attempt_at   timestamptz NOT NULL,
    last_error        text,
    created_at        timestamptz NOT NULL,
    sent_at           timestamptz,
    CONSTRAINT pk_notification_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_notification_deliveries_event_id_user_id_channel
        UNIQUE (event_id, user_id, channel),
    CONSTRAINT fk_notification_deliveries_user_id_users FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_notification_deliveries_channel CHECK (channel IN ('PUSH', 'EMAIL')),
    CONSTRAINT ck_notification_deliveries_deliverystatus
        CHECK (status IN ('PENDING', 'SENT', 'FAILED', 'SKIPPED'))
);
CREATE INDEX ix_notification_deliveries_next_attempt_at
    ON notification_deliveries (next_attempt_at) WHERE status = 'PENDING';
CREATE INDEX ix_notification_deliveries_user_id
    ON notification_deliveries (user_id, created_at);
CREATE INDEX ix_notification_deliveries_created_at
    ON notification_deliveries (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE
    ON notification_preferences, push_subscriptions, notification_deliveries TO luna_app;
