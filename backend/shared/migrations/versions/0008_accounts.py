"""Add known devices, failed sign-ins, mailed tokens, second factors and service keys.

Revision: 0008, after 0007.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = (
    "known_devices, sign_in_failures, account_tokens, totp_factors, recovery_codes, "
    "login_challenges, service_keys"
)


_SCHEMA = """
    CREATE TABLE known_devices (
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        token_hash text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_known_devices PRIMARY KEY (id),
        CONSTRAINT fk_known_devices_user_id_users FOREIGN KEY (user_id) REFERENCES users (id),
        CONSTRAINT uq_known_devices_token_hash UNIQUE (token_hash)
    );
    CREATE INDEX ix_known_devices_user_id ON known_devices (user_id);
    CREATE INDEX ix_known_devices_expires_at ON known_devices (expires_at);
    ALTER TABLE users ADD COLUMN erased_at timestamptz;
    ALTER TABLE sessions ADD COLUMN device_id uuid,
        ADD CONSTRAINT fk_sessions_device_id_known_devices
            FOREIGN KEY (device_id) REFERENCES known_devices (id) ON DELETE SET NULL;
    CREATE INDEX ix_sessions_device_id ON sessions (device_id);
    CREATE TABLE sign_in_failures (
        subject text NOT NULL,
        failures integer NOT NULL,
        blocked_until timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT pk_sign_in_failures PRIMARY KEY (subject)
    );
    CREATE INDEX ix_sign_in_failures_updated_at ON sign_in_failures (updated_at);
    CREATE TABLE account_tokens (
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        purpose character varying(32) NOT NULL,
        token_hash text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_account_tokens PRIMARY KEY (id),
        CONSTRAINT ck_account_tokens_tokenpurpose
            CHECK (purpose IN ('RESET_PASSWORD', 'VERIFY_EMAIL')),
        CONSTRAINT fk_account_tokens_user_id_users FOREIGN KEY (user_id) REFERENCES users (id),
        CONSTRAINT uq_account_tokens_token_hash UNIQUE (token_hash)
    );
    CREATE INDEX ix_account_tokens_user_id ON account_tokens (user_id, purpose);
    CREATE INDEX ix_account_tokens_expires_at ON account_tokens (expires_at);
    CREATE TABLE totp_factors (
        user_id uuid NOT NULL,
        encrypted_secret text NOT NULL,
        confirmed_at timestamptz,
        last_step bigint NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_totp_factors PRIMARY KEY (user_id),
        CONSTRAINT fk_totp_factors_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
    );
    CREATE TABLE recovery_codes (
        code_hash text NOT NULL,
        user_id uuid NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_recovery_codes PRIMARY KEY (code_hash),
        CONSTRAINT fk_recovery_codes_user_id_users FOREIGN KEY (user_id) REFERENCES users (id)
    );
    CREATE INDEX ix_recovery_codes_user_id ON recovery_codes (user_id);
    CREATE TABLE login_challenges (
        challenge_hash text NOT NULL,
        user_id uuid NOT NULL,
        password_hash text NOT NULL,
        tries integer NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_login_challenges PRIMARY KEY (challenge_hash),
        CONSTRAINT fk_login_challenges_user_id_users
            FOREIGN KEY (user_id) REFERENCES users (id)
    );
    CREATE INDEX ix_login_challenges_user_id ON login_challenges (user_id);
    CREATE INDEX ix_login_challenges_expires_at ON login_challenges (expires_at);
    CREATE TABLE service_keys (
        id uuid NOT NULL,
        name text NOT NULL,
        rpcs jsonb NOT NULL,
        prefix text NOT NULL,
        key_hash text NOT NULL,
        previous_prefix text,
        previous_hash text,
        previous_expires_at timestamptz,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT pk_service_keys PRIMARY KEY (id),
        CONSTRAINT fk_service_keys_created_by_users
            FOREIGN KEY (created_by) REFERENCES users (id),
        CONSTRAINT uq_service_keys_prefix UNIQUE (prefix),
        CONSTRAINT uq_service_keys_previous_prefix UNIQUE (previous_prefix)
    );
    CREATE UNIQUE INDEX uq_service_keys_name ON service_keys (name) WHERE revoked_at IS NULL;
    CREATE INDEX ix_service_keys_created_by ON service_keys (created_by);
"""


def upgrade() -> None:
    op.execute(_SCHEMA)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_TABLES} TO luna_app")


def downgrade() -> None:
    op.execute("""
        ALTER TABLE sessions DROP COLUMN device_id;
        ALTER TABLE users DROP COLUMN erased_at;
    """)
    op.execute(f"DROP TABLE {_TABLES}")
