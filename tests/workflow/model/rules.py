"""The tables of the product and the guards that the model restates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from backend.robot.bridge_protocol import command_reports
from backend.shared.domain import commands, transitions
from backend.shared.domain.circulation import custody
from backend.shared.domain.circulation.custody import CustodyTransition
from backend.shared.domain.task_effects import Effect
from backend.shared.domain.transitions import Action, State
from backend.shared.models import Custody, Leg, Stage, TaskType


class Guard(StrEnum):
    """A rule of the product outside its tables, and where it is."""

    LOADING_PROOF = "commands.issue_navigation: a leg with a book needs a loading proof"
    CREATE_NOT_STOPPED = "commands.can_move: a stopped robot gets no command"
    CREATE_ONLINE = "commands.can_move: an offline robot gets no command"
    ASSIGN_FIT = "commands.is_assignable: online, not stopped, without a command"
    VOID_BEFORE_ISSUE = "commands.issue_navigation: earlier commands are void"
    VOID_ON_RELEASE = "commands.release: the commands of a released robot are void"
    ONE_OUTCOME = "commands.issue_pending: no second command while an outcome is unprocessed"
    DUE_AGAIN = "command_outcomes._try_again: a drive that could not be issued is due again"
    PENDING_HAS_NONE = "commands.issue_pending: no second command beside an active one"
    ISSUE_ON_RETURN = "commands.issue_pending: after a resume or an outage the drive goes on"
    LEASE_EPOCH = "command_leases.lease_next: only the newest session leases"
    LEASE_VERSION = "command_leases.lease_next: no command from before a stop"
    REPORT_EPOCH = "command_reports.record_report: only of the newest session"
    REPORT_VERSION = "command_reports.record_report: not of a command from before a stop"
    REPORT_TOKEN = "command_reports.record_report: only under the newest lease"
    REPORT_NOT_VOID = "command_reports.record_report: not of a void command"
    REPORT_ORDER = "command_reports._ensure_in_order: reports follow the order"
    REPORT_NEAR = "command_reports._is_at_target: an arrival is near its target"
    HEARTBEAT_NEAR = "heartbeats.resolve_unknown_command: found at its target"
    HEARTBEAT_DECIDES = "heartbeats.resolve_unknown_command: an UNKNOWN command is decided"
    STARTED_IS_UNKNOWN = "command_leases.expire_leases: a started command is not sent again"
    RESTART_REQUEUES = "bridge_sessions: a command that was not started is sent again"
    EVENT_NEWEST = "command_outcomes._is_newest: only the stage's newest command counts"
    EVENT_NEEDS_DRIVE = "command_outcomes.apply: only a driving task moves on"
    NAMED_ROBOT = "tasks._check_robot: a confirmation names the robot that was loaded"
    RETRY_OPEN = "tasks.retry: not of a request that its member has cancelled"
    UNLOADED_AFTER_ARRIVAL = "workflow.allowed_actions: no unloading of a driving robot"
    RELEASE_OFFLINE = "connectivity: a robot lost before loading loses its task"
    BRIDGE_STOP_VOIDS = "bridge executor: a command from before a stop does not run after it"
    BRIDGE_LOST_HALTS = "bridge commands.lost: a lost lease halts the drive"
    BRIDGE_ONCE = "bridge journal: a finished command is reported, not driven again"


@dataclass(frozen=True)
class Rules:
    """What the model follows; a mutation replaces one entry or switches one guard off."""

    transitions: Mapping[Action, Mapping[State, State]] = field(
        default_factory=lambda: transitions.TRANSITIONS
    )
    refused: Mapping[TaskType, frozenset[Action]] = field(
        default_factory=lambda: transitions.REFUSED
    )
    effects: Mapping[TaskType, Mapping[Action, Effect]] = field(
        default_factory=lambda: transitions.EFFECTS
    )
    custody: Mapping[CustodyTransition, tuple[frozenset[Custody], Custody]] = field(
        default_factory=lambda: custody.TRANSITIONS
    )
    legs: Mapping[Stage, Leg] = field(
        default_factory=lambda: commands._LEG_OF_STAGE  # noqa: SLF001  the product's own table
    )
    may_precede: Mapping[Any, tuple[Any, ...]] = field(
        default_factory=lambda: command_reports._MAY_PRECEDE  # noqa: SLF001  likewise
    )
    order: tuple[Any, ...] = tuple(command_reports._ORDER)  # noqa: SLF001  likewise
    off: frozenset[Guard] = frozenset()

    def guard(self, guard: Guard, holds: bool) -> bool:  # noqa: FBT001  the condition guarded
        """Return whether the condition holds or its guard is switched off."""
        return holds or guard in self.off
