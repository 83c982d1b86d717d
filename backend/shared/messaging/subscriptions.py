"""Subscriptions: which event goes to which consumers.

A consumer's name is its Celery task; the prefix before the dot is its queue. The live view is
not in this table: the relay publishes to it (topics: `backend.shared.messaging.realtime.topics`).
"""

from backend.shared import events
from backend.shared.events import Event

DISPATCH = "robot.dispatch"
REPLAN = "robot.replan"
COMMAND_OUTCOME = "delivery.follow_command"
ALERT = "delivery.alert"
NOTIFY = "notification.notify"
DELIVER = "notification.deliver"
ACCOUNT_MAIL = "notification.account_mail"
IMPORT = "catalog.import_batch"
WATCHDOG = "notification.watchdog"
# Consumers that process the events of a message in one transaction. Not COMMAND_OUTCOME, which
# locks tasks; not those that wait for another server or run for seconds.
TOGETHER = frozenset({DISPATCH, ALERT, NOTIFY})
# Consumers that robots wait for: their messages overtake all others in the broker.
URGENT = frozenset({DISPATCH, REPLAN, COMMAND_OUTCOME})
_FIRST, _LATER = 0, 6  # Redis serves 0 first

SUBSCRIBERS: dict[type[Event], tuple[str, ...]] = {
    # a task waits for a robot, or a robot becomes free
    events.RequestCreated: (DISPATCH, NOTIFY),
    events.ReturnInitiated: (DISPATCH,),
    events.TaskQueued: (DISPATCH, ALERT),
    events.TaskCompleted: (DISPATCH, ALERT),
    events.TaskFailed: (DISPATCH, NOTIFY, ALERT),
    events.TaskCancelled: (DISPATCH, ALERT),
    events.RobotCameOnline: (DISPATCH, ALERT),
    events.RobotResumed: (DISPATCH, ALERT),
    events.RobotFreed: (DISPATCH, ALERT),
    events.EdgeClosed: (REPLAN, DISPATCH),
    # outcomes of commands advance the task
    events.CommandSucceeded: (COMMAND_OUTCOME, DISPATCH),
    events.CommandFailed: (COMMAND_OUTCOME, DISPATCH),
    # notifications of users
    events.RequestCancelled: (NOTIFY,),
    events.RequestCompleted: (NOTIFY,),
    events.ReturnPickedUp: (NOTIFY,),
    events.ReturnCompleted: (NOTIFY,),
    events.TaskAssigned: (NOTIFY, ALERT),
    events.TaskLoading: (NOTIFY,),
    events.TaskDeparted: (NOTIFY, ALERT),
    events.TaskArrived: (NOTIFY, ALERT),
    events.TaskReminder: (NOTIFY, ALERT),
    events.TaskNeedsAttention: (NOTIFY, ALERT),
    events.RobotWentOffline: (NOTIFY, ALERT),
    events.RobotStopRequested: (NOTIFY,),
    events.RobotStopUnconfirmed: (NOTIFY, ALERT),
    events.EventDeadLettered: (NOTIFY, ALERT),
    events.WatchdogLate: (NOTIFY, ALERT),
    # alerts that are raised or cleared by nothing else
    events.RobotErrorReported: (ALERT,),
    events.RobotStopConfirmed: (ALERT,),
    events.DueDatesReminded: (NOTIFY,),
    events.HoldReady: (NOTIFY,),
    events.HoldExpired: (NOTIFY,),
    # push and mail
    events.NotificationQueued: (DELIVER,),
    # an import continues batch by batch
    events.ImportQueued: (IMPORT,),
    events.ImportProgressed: (IMPORT,),
    events.ImportFinished: (NOTIFY,),
    # mails about an account
    events.AccountRegistered: (ACCOUNT_MAIL,),
    events.RegistrationRepeated: (ACCOUNT_MAIL,),
    events.EmailVerificationRequested: (ACCOUNT_MAIL,),
    events.PasswordResetRequested: (ACCOUNT_MAIL,),
    events.PasswordChanged: (ACCOUNT_MAIL,),
    events.LoginLimited: (ACCOUNT_MAIL,),
    # monitoring of the event chain
    events.WatchdogSent: (WATCHDOG,),
}

BY_TYPE: dict[str, tuple[str, ...]] = {
    kind.TYPE: consumers for kind, consumers in SUBSCRIBERS.items()
}

# Events of robots: in a burst the relay sends them before others. They are all events of their
# aggregates, whose order stays.
PROMPT = frozenset(kind.TYPE for kind in events.BY_TYPE.values() if kind.SOURCE == "robot-service")


def consumers_of(event_type: str) -> tuple[str, ...]:
    return BY_TYPE.get(event_type, ())


def queue_of(consumer: str) -> str:
    return consumer.partition(".")[0]


def priority_of(consumer: str, *, is_resent: bool = False) -> int:
    """Return the priority of a message in the broker; 0 goes first.

    What had to be sent again has waited long enough, so that nothing starves.
    """
    return _FIRST if is_resent or consumer in URGENT else _LATER
