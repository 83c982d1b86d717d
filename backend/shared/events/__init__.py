"""Every event of the system, one file for each family.

Names are past tense; the reactions to them are in `subscribers`. An event is published with
`outbox.publish` in the transaction of its change.
"""

from backend.shared.events.accounts import (
    AccountDeactivated,
    AccountRegistered,
    EmailVerificationRequested,
    LoginLimited,
    PasswordChanged,
    PasswordResetRequested,
    RegistrationRepeated,
    RoleChanged,
    SessionEnded,
)
from backend.shared.events.alerts import (
    AlertClaimed,
    AlertEvent,
    AlertRaised,
    AlertResolved,
)
from backend.shared.events.base import (
    BY_TYPE,
    Event,
)
from backend.shared.events.catalogue import (
    BookAdded,
    BookRemoved,
    BookUpdated,
    ImportFinished,
    ImportProgressed,
    ImportQueued,
)
from backend.shared.events.circulation import (
    DueDatesReminded,
    DueLoan,
    HoldCancelled,
    HoldExpired,
    HoldPlaced,
    HoldReady,
    LoanClosed,
    LoanDueSoon,
    LoanOpened,
    LoanOverdue,
    LoanRenewed,
)
from backend.shared.events.delivery import (
    RequestCancelled,
    RequestCompleted,
    RequestCreated,
    RequestEvent,
    RequestPlaceChanged,
    ReturnCancelled,
    ReturnCompleted,
    ReturnEvent,
    ReturnInitiated,
    ReturnPickedUp,
    TaskArrived,
    TaskAssigned,
    TaskBringingBack,
    TaskCancelled,
    TaskClaimed,
    TaskCompleted,
    TaskCopyChanged,
    TaskDeparted,
    TaskEvent,
    TaskExtended,
    TaskFailed,
    TaskLoading,
    TaskNeedsAttention,
    TaskQueued,
    TaskReminder,
)
from backend.shared.events.robots import (
    CommandAccepted,
    CommandCreated,
    CommandFailed,
    CommandStarted,
    CommandSucceeded,
    EdgeClosed,
    OrderedRobot,
    RobotCameOnline,
    RobotErrorReported,
    RobotFreed,
    RobotResumed,
    RobotStatusChanged,
    RobotStopConfirmed,
    RobotStopRequested,
    RobotStopUnconfirmed,
    RobotWentOffline,
)
from backend.shared.events.system import (
    EventDeadLettered,
    NotificationCreated,
    NotificationQueued,
    WatchdogLate,
    WatchdogSent,
)
