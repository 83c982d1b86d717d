"""Mutations of the tables and guards; the explorer has to find each of them.

A mutation of a table is generated for each of its entries: one transition that is missing, one that
leads elsewhere, one effect that is missing, and so on. A guard is switched off.
"""

from collections.abc import Iterator
from dataclasses import replace

from backend.shared.domain import transitions
from backend.shared.domain.circulation.custody import CustodyTransition
from backend.shared.domain.task_effects import Effect
from backend.shared.models import Custody, Leg, TaskType
from tests.workflow.model.rules import Guard, Rules

KINDS = (TaskType.STUDENT_DELIVERY, TaskType.RETURN_PICKUP, TaskType.TRANSFER)
Mutation = tuple[str, Rules]

# Not found within two disturbances, each with the reason.
SURVIVORS = {
    "guard LOADING_PROOF off": "only LOAD leads to a leg with a book, and it inserts the proof",
    "guard PENDING_HAS_NONE off": "ONE_OUTCOME refuses the same commands",
    "guard EVENT_NEEDS_DRIVE off": "EVENT_NEWEST: no command is of a stage without a drive",
    "guard RETRY_OPEN off": "needs three: cancelled on the way, failed, and tried again",
    "RETURN_PICKUP does not refuse TAKE_BACK": "BRING_BACK is refused: nothing to take back",
}
# Found only when every behaviour with two disturbances has been explored: no step leads to an end.
WHOLE = frozenset({"guard DUE_AGAIN off"})
# Found with two disturbances, not with one.
DEEPER = frozenset(
    {
        *WHOLE,
        "guard CREATE_ONLINE off",
        "guard STARTED_IS_UNKNOWN off",
        "STUDENT_DELIVERY RETRY without its request",
        "RETURN_PICKUP RETRY without its returned",
        "custody UNLOAD ends elsewhere",
        "custody UNLOAD not from ON_ROBOT",
    }
)


def mutations() -> Iterator[Mutation]:
    """Yield each mutation by name."""
    yield from _guards()
    yield from _transitions()
    yield from _refused()
    yield from _effects()
    yield from _custody()
    yield from _legs()
    yield from _report_order()


def _guards() -> Iterator[Mutation]:
    for guard in Guard:
        yield f"guard {guard.name} off", Rules(off=frozenset({guard}))


def _transitions() -> Iterator[Mutation]:
    table = Rules().transitions
    for action, steps in table.items():
        for origin, end in steps.items():
            name = f"{action.value} from {'/'.join(part.value for part in origin if part)}"
            without = {state: to for state, to in steps.items() if state != origin}
            yield f"{name} missing", Rules(transitions={**table, action: without})
            other = transitions.CANCELLED if end != transitions.CANCELLED else transitions.FAILED
            elsewhere = {**steps, origin: other}
            yield f"{name} ends elsewhere", Rules(transitions={**table, action: elsewhere})
        extra = next(state for state in _states() if state not in steps)
        added = {**steps, extra: extra}
        yield f"{action.value} added", Rules(transitions={**table, action: added})


def _states() -> Iterator[transitions.State]:
    yield from (transitions.HANDOVER, transitions.QUEUED, transitions.COMPLETED)


def _refused() -> Iterator[Mutation]:
    for kind, actions in Rules().refused.items():
        for action in actions:
            fewer = {kind: actions - {action}}
            yield f"{kind.value} does not refuse {action.value}", Rules(refused=fewer)


def _effects() -> Iterator[Mutation]:
    table = Rules().effects
    for kind in KINDS:
        for action, effect in table[kind].items():
            for part in ("custody", "request", "returned"):
                if getattr(effect, part) is not None:
                    changed: Effect = replace(effect, **{part: None})
                    own = {**table, kind: {**table[kind], action: changed}}
                    yield f"{kind.value} {action.value} without its {part}", Rules(effects=own)


def _custody() -> Iterator[Mutation]:
    table = Rules().custody
    used = {effect.custody for steps in Rules().effects.values() for effect in steps.values()}
    for step, (origins, end) in table.items():
        if step not in used | {CustodyTransition.UNLOAD}:  # not a step of a task
            continue
        other = Custody.ON_SHELF if end is not Custody.ON_SHELF else Custody.ON_LOAN
        yield (
            f"custody {step.value} ends elsewhere",
            Rules(custody={**table, step: (origins, other)}),
        )
        for origin in origins:
            if origin is not Custody.AT_DESK:  # shelved there by staff, without a task
                fewer = {**table, step: (origins - {origin}, end)}
                yield f"custody {step.value} not from {origin.value}", Rules(custody=fewer)


def _legs() -> Iterator[Mutation]:
    table = Rules().legs
    for stage in table:
        fewer = {other: leg for other, leg in table.items() if other is not stage}
        yield f"no drive in {stage.value}", Rules(legs=fewer)
        wrong = Leg.TO_SOURCE if table[stage] is not Leg.TO_SOURCE else Leg.TO_DESTINATION
        yield f"{stage.value} drives elsewhere", Rules(legs={**table, stage: wrong})


def _report_order() -> Iterator[Mutation]:
    table = Rules().may_precede
    for report, statuses in table.items():
        fewer = {other: before for other, before in table.items() if other is not report}
        yield f"{report.value} may follow anything", Rules(may_precede=fewer)
        for status in statuses:
            left = tuple(each for each in statuses if each is not status)
            yield (
                f"{report.value} may not follow {status.value}",
                Rules(may_precede={**table, report: left}),
            )
