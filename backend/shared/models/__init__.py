"""All tables, one module per owner."""

from backend.shared.models.accounts import (
    AccountToken,
    KnownDevice,
    LoginChallenge,
    PersonKey,
    RecoveryCode,
    ServiceKey,
    SignInFailures,
    TokenPurpose,
    TotpFactor,
)
from backend.shared.models.alerts import Alert, AlertKind, AlertSeverity, ProblemKind
from backend.shared.models.base import Base, sql_values, table
from backend.shared.models.catalogue import (
    Book,
    BookStatus,
    Condition,
    Copy,
    CopyHistory,
    CopyKind,
    Custody,
    ImportFile,
    ImportJob,
    ImportRow,
    ImportState,
    ImportTitle,
    Severity,
)
from backend.shared.models.circulation import (
    OPEN_HOLD_STATUSES,
    BookMerge,
    CalendarEntry,
    Hold,
    HoldStatus,
    Loan,
    LoanChannel,
    LoanPolicy,
    LoanState,
    NoticeDay,
)
from backend.shared.models.delivery import (
    ACTIVE_TASK_STATUSES,
    CLOSED_STATUSES,
    PRIORITY_RANK,
    BookRequest,
    BookReturn,
    DeliveryTask,
    EtaReason,
    LoadingProof,
    Priority,
    RequestStatus,
    ReturnStatus,
    Stage,
    TaskHistory,
    TaskStatus,
    TaskType,
    WaitingReason,
)
from backend.shared.models.map import (
    EdgeKind,
    FloorPlan,
    Waypoint,
    WaypointEdge,
    WaypointKind,
)
from backend.shared.models.notification import (
    Channel,
    DeliveryStatus,
    Notification,
    NotificationDelivery,
    NotificationPreferences,
    PushSubscription,
    WsTicket,
)
from backend.shared.models.robot_logs import RobotStatusLog
from backend.shared.models.robots import (
    ACTIVE_COMMAND_STATUSES,
    FAILED_COMMAND_STATUSES,
    FLEET_LATCH,
    IN_FLIGHT_COMMAND_STATUSES,
    MOTION_COMMAND_TYPES,
    CommandReport,
    CommandStatus,
    CommandType,
    Connectivity,
    EnrollmentCode,
    FleetState,
    Leg,
    Robot,
    RobotCommand,
    RobotError,
    RobotKey,
    RobotStatus,
    StopLatch,
    StopReport,
    StopScope,
    StopState,
)
from backend.shared.models.search import SearchPhrase, SearchState, SearchWord
from backend.shared.models.system import (
    IDEMPOTENCY_KEY_LIFE,
    AggregateSequence,
    AuditChain,
    AuditLog,
    EventRun,
    IdempotencyKey,
    LivePosition,
    OutboxEvent,
    ProcessedEvent,
    ProcessHeartbeat,
)
from backend.shared.models.users import Role, User, UserSession
