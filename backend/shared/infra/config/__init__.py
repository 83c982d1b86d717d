"""Settings: one typed class per concern, read from `LUNA_*` environment variables.

A secret may also be given as a file: `LUNA_DATABASE_URL_FILE=/run/secrets/url`. A process refuses
to start in production with an unsafe value (`safety`). `.env.example` documents each
setting and its default.
"""

from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import Field, field_validator

from backend.shared.infra.config.base import LunaSettings as LunaSettings
from backend.shared.infra.config.base import UnsafeSetting as UnsafeSetting
from backend.shared.infra.config.branding import BrandSettings as BrandSettings
from backend.shared.infra.config.oidc import OidcSettings as OidcSettings
from backend.shared.infra.config.registration import Registration as Registration


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class ProcessSettings(LunaSettings):
    """Where and how this process runs."""

    environment: Environment = Environment.DEVELOPMENT
    listen: str = "127.0.0.1:8000"  # or unix:/path/to.sock
    metrics_listen: str | None = None  # of the worker; unix:/path/to.sock or address:port
    ready_file: Path | None = None
    migrate: bool = False
    log_level: str = "INFO"
    log_format: str = "json"
    traces_endpoint: str | None = None  # of an OpenTelemetry collector: http://host:4318
    clock_file: Path | None = None


class DatabaseSettings(LunaSettings):
    database_url: str
    database_owner_url: str | None = None
    service_instances: int = Field(default=5, ge=1)  # all processes of all services
    worker_instances: int = Field(default=1, ge=1)
    pool_size: int = Field(default=8, ge=1)  # connections per process, for threads
    fast_pool_size: int = Field(default=4, ge=1)  # connections per process, for the event loop
    hot_pool_size: int = Field(
        default=4, ge=1
    )  # connections per process, for hot reads; as many for writes
    lock_timeout: timedelta = timedelta(seconds=5)
    statement_timeout: timedelta = timedelta(seconds=15)

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _has_driver(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith("postgresql+psycopg2://"):
            raise UnsafeSetting("a database URL must begin with postgresql+psycopg2://")
        return url


class RedisSettings(LunaSettings):
    redis_url: str
    cache_url: str | None = None  # a second Redis for the cache; redis_url when unset


class AuthSettings(LunaSettings):
    auth_private_key: str | None = None  # PEM; only the auth service has it
    auth_public_keys: str = ""  # JWKS as JSON
    access_token_life: timedelta = timedelta(hours=1)
    refresh_token_life: timedelta = timedelta(days=7)
    token_issuer: str = "luna"  # noqa: S105 (a name, not a secret)
    token_audience: str = "luna-api"  # noqa: S105 (a name, not a secret)
    revocation_delay: timedelta = timedelta(seconds=1)  # TTL of a cached session state
    registration: Registration = Registration.OPEN
    staff_domain: str = ""  # of the library's own mail addresses: nobody registers them unverified
    admin_second_factor: bool | None = None  # required of administrators; unset: in production


class HttpSettings(LunaSettings):
    public_url: str = "http://localhost:8080"
    time_zone: str = "UTC"  # of the library: a name like Europe/Istanbul
    allowed_origins: str = ""  # comma-separated
    max_body_bytes: int = 1024 * 1024
    max_import_bytes: int = 64 * 1024 * 1024
    user_writes_per_second: int = 30  # 0 = no limit
    login_failures_before_delay: int = 5
    login_failures_in_a_row: int = 100  # per account, from devices that are not known
    login_failures_per_address: int = 300  # in 15 minutes; 0 = no limit

    @property
    def origins(self) -> list[str]:
        return [origin.strip() for origin in self.allowed_origins.split(",") if origin.strip()]


class MailSettings(LunaSettings):
    smtp_url: str | None = None  # smtp://, smtp+starttls:// or smtps://user:password@host:port
    mail_from: str = "LUNA <library@localhost>"
    mail_folder: Path | None = None  # of a local run, instead of a server

    @field_validator("smtp_url")
    @classmethod
    def _has_scheme(cls, url: str | None) -> str | None:
        if url and not url.startswith(("smtp://", "smtp+starttls://", "smtps://")):
            raise UnsafeSetting(
                "a mail server must begin with smtp://, smtp+starttls:// or smtps://"
            )
        return url or None


class PushSettings(LunaSettings):
    """Web Push; off until a VAPID key pair is set (base64url, as `vapid --gen` writes it)."""

    push_private_key: str | None = None
    push_public_key: str | None = None
    push_contact: str = "library@localhost"  # an address that push services may write to
    # The server calls no other hosts; their subdomains are included.
    push_hosts: str = (
        "fcm.googleapis.com push.services.mozilla.com push.apple.com notify.windows.com"
    )


class OutboxSettings(LunaSettings):
    outbox_first_resend: timedelta = timedelta(seconds=5)
    outbox_last_resend: timedelta = timedelta(seconds=15)
    outbox_poll: timedelta = timedelta(seconds=1)
    outbox_max_failures: int = 10
    worker_concurrency: int = 2


_DAY = timedelta(days=1)


class RetentionSettings(LunaSettings):
    """How long rows are kept (data.md §2)."""

    keep_tasks: timedelta = Field(default=timedelta(days=730), ge=_DAY)  # after they finished
    keep_task_history: timedelta = Field(default=timedelta(days=365), ge=_DAY)
    keep_audit: timedelta = Field(default=timedelta(days=2557), ge=30 * _DAY)
    keep_notifications: timedelta = Field(default=timedelta(days=90), ge=_DAY)
    keep_status_logs: timedelta = Field(default=timedelta(days=30), ge=_DAY)
    keep_robot_history: timedelta = Field(default=timedelta(days=365), ge=_DAY)
    keep_events: timedelta = Field(default=timedelta(days=14), ge=_DAY)
    keep_imports: timedelta = Field(default=timedelta(days=365), ge=_DAY)
    keep_sessions: timedelta = Field(default=timedelta(days=90), ge=_DAY)  # after they ended


class RpcSettings(LunaSettings):
    grpc_listen: str | None = None  # of native gRPC: unix:/path/to.sock or address:port
    rpc_max_calls: int = Field(default=256, ge=1)  # at one time in a process


class WorkflowSettings(LunaSettings):
    """Deadlines of a delivery task (workflow.md §4)."""

    loading_timeout: timedelta = timedelta(minutes=10)
    loading_attempts: int = 2
    handover_timeout: timedelta = timedelta(minutes=10)
    handover_reminders: int = 2
    handover_extensions: int = 2  # of the wait at the door
    handover_extension: timedelta = timedelta(minutes=5)
    handover_code_tries: int = 5
    unreceived_alert_interval: timedelta = timedelta(minutes=30)
    driving_timeout: timedelta = timedelta(minutes=30)  # of one drive
    no_robot_notice: timedelta = timedelta(minutes=5)
    priority_ageing: timedelta = timedelta(minutes=15)  # a waiting task rises one priority
    command_attempts: int = 3
    journey_attempts: int = 5  # robots that may fail a task before it fails
    usual_loading_time: timedelta = timedelta(minutes=2)


class LoanSettings(LunaSettings):
    """Rules of loans and holds where the library has set no policy of its own."""

    loan_days: int = 28
    short_loan_days: int = 7
    renewals_per_loan: int = 2
    loans_per_member: int = 20
    overdue_per_member: int = 5  # overdue loans with which no other copy is lent
    holds_per_member: int = 10
    hold_days: int = 4  # that a copy is kept on the hold shelf
    due_soon_days: int = 2  # before the due date


class RobotSettings(LunaSettings):
    heartbeat_interval: timedelta = timedelta(seconds=5)
    stale_after: timedelta = timedelta(seconds=10)
    offline_after: timedelta = timedelta(seconds=15)
    command_lease: timedelta = timedelta(seconds=15)
    heartbeat_write_interval: timedelta = timedelta(seconds=30)
    stop_confirmation: timedelta = timedelta(seconds=2)
    arrival_tolerance: float = 2.0  # metres from the target within which an arrival is believed
    errors_per_minute: int = 10  # of one robot; further ones are dropped
    battery_reserve: float = 0.15  # charge kept at the end of every route
    battery_low: float = 0.4  # an idle robot below this charges
    battery_ready: float = 0.6  # a charging robot serves again from here
    battery_per_metre: float = 0.0005
    edge_closing: timedelta = timedelta(minutes=10)  # of an edge that a robot found blocked
    lift_time: timedelta = timedelta(seconds=45)  # to call a lift and get in and out
    usual_speed: float = 0.31  # metres per second, until a robot's own is measured
    enrolment_life: timedelta = timedelta(minutes=15)
    key_overlap: timedelta = timedelta(minutes=10)


@cache
def process() -> ProcessSettings:
    return ProcessSettings()


@cache
def database() -> DatabaseSettings:
    return DatabaseSettings()


@cache
def redis() -> RedisSettings:
    return RedisSettings()


@cache
def auth() -> AuthSettings:
    return AuthSettings()


@cache
def http() -> HttpSettings:
    return HttpSettings()


@cache
def oidc() -> OidcSettings:
    return OidcSettings()


@cache
def brand() -> BrandSettings:
    return BrandSettings()


@cache
def mail() -> MailSettings:
    return MailSettings()


@cache
def push() -> PushSettings:
    return PushSettings()


@cache
def outbox() -> OutboxSettings:
    return OutboxSettings()


@cache
def retention() -> RetentionSettings:
    return RetentionSettings()


@cache
def rpc() -> RpcSettings:
    return RpcSettings()


@cache
def workflow() -> WorkflowSettings:
    return WorkflowSettings()


@cache
def loans() -> LoanSettings:
    return LoanSettings()


@cache
def robots() -> RobotSettings:
    return RobotSettings()


def needs_admin_second_factor() -> bool:
    """Return whether administrators must have a second factor."""
    required = auth().admin_second_factor
    return process().environment is Environment.PRODUCTION if required is None else required


STOP_CONNECTIONS = 2  # of the robot service, for stop and resume alone


def connections_needed() -> int:
    """Return the maximum number of connections of all parts together.

    A service has all four pools; the worker's parent and each of its processes have one, that of
    imports among them.
    """
    settings = database()
    pools = settings.pool_size + settings.fast_pool_size + 2 * settings.hot_pool_size
    worker = (2 + outbox().worker_concurrency) * settings.pool_size
    services = settings.service_instances * pools + STOP_CONNECTIONS
    return services + settings.worker_instances * worker
