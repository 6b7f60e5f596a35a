"""Each side of the book over all of a run's time, in stretches of one reason: quoted, on its way, or held and why.

The recorder takes one step at a time: of a run while it runs, or of a journal that is replayed. Between two steps a
side is as the first of them left it, so that the stretches of a side follow each other without a gap, from the first
step to the last. Nothing is looked up that a decision depends on later: watching changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final

from attrs import define, field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.chart import EdgeDefinition
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.decisions import Hold, HoldReason, RefusalCode
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.machine.desk import NOT_PLACED, QUOTES_LEAVE
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.report.fact_words import fact_words
from mm_fsm.services import permission


class StretchKind(StrEnum):
    """What a side was during a stretch."""

    LIVE = "live"
    """A quote of ours rested there."""
    ON_ITS_WAY = "on_its_way"
    """A placement or a cancel awaited its answer, or an order's outcome was unknown."""
    HELD = "held"
    NOT_RUNNING = "not_running"
    """Nothing made the market: from the last step of one process, or of one machine, to the first step of the next."""
    NOT_RECORDED = "not_recorded"
    """The journal has forgotten that time, or lacks its market data, so that nobody can tell: ``detail`` says which."""
    UNEXPLAINED = "unexplained"
    """The books name no reason that is there: a defect, and counted as one."""

    @property
    def is_silent(self) -> bool:
        """Whether no quote rested, for a reason that the books name."""
        return self in {StretchKind.HELD, StretchKind.ON_ITS_WAY}


WITHOUT_MARKET_DATA: Final = "the journal has no market data"
"""Why time is not on record, in words."""
WITHOUT_REASON: Final = frozenset({StretchKind.NOT_RECORDED, StretchKind.UNEXPLAINED})
"""Time of these kinds is not explained."""


@frozen(kw_only=True)
class Decision:
    """Who decided that a side is as it is."""

    edges: tuple[str, ...] = ()
    """The edges that the step took, ``source.event``; empty where the machine stayed where it was."""
    guard: str = ""
    """The guards of the first of them, or of the edge that would lead on and could not be taken, with their answers."""
    service: str = ""
    """The service's method that answered, such as ``spreads.price_quotes``; empty where a guard alone decided."""

    def entry(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"edges": list(self.edges), "guard": self.guard, "service": self.service}

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.service, self.guard and f"guard {self.guard}", " then ".join(self.edges))))


@frozen(kw_only=True)
class Moment:
    """One step: its number, and what happened."""

    step: int
    fact: str


@frozen(kw_only=True)
class Stretch:
    """One side, from a step that made it so to the step that changed it. Times are nanoseconds of facts."""

    side: Side
    begin: int
    end: int
    kind: StretchKind
    reason: str
    """A hold reason; for a side that was not held, the kind."""
    detail: str = ""
    """The hold's figures as it began; why a time is not on record."""
    until: int | None = None
    """When the hold ends by itself, where it has such a time."""
    state: str = ""
    """The machine's state once it rested."""
    began: Moment | None = None
    """None where no step began it: while nothing ran, and where the journal's first segment is not its first step."""
    decision: Decision = field(factory=Decision)
    ended: Moment | None = None
    """None where it lasts until the end of the record."""
    followed_by: str = ""
    """The next stretch's reason; empty where there is none."""

    @property
    def duration(self) -> int:
        """Nanoseconds."""
        return self.end - self.begin

    @property
    def is_explained(self) -> bool:
        """Whether the books say why."""
        return self.kind not in WITHOUT_REASON

    def entry(self) -> dict[str, Any]:
        """The stretch as JSON has it; times are nanoseconds, ``seconds`` its length."""
        return {
            "side": self.side.value,
            "begin": self.begin,
            "end": self.end,
            "seconds": self.duration / NANOSECONDS_PER_SECOND,
            "kind": self.kind.value,
            "reason": self.reason,
            "detail": self.detail,
            "until": self.until,
            "state": self.state,
            "began_with": _entry_of(self.began),
            "decided_by": self.decision.entry(),
            "ended_with": _entry_of(self.ended),
            "followed_by": self.followed_by,
        }


def _entry_of(moment: Moment | None) -> dict[str, Any] | None:
    return None if moment is None else {"step": moment.step, "fact": moment.fact}


@define
class _Open:
    """The stretch that a side is in."""

    begin: int
    kind: StretchKind
    status: Hold | None
    state: str
    began: Moment | None
    decision: Decision
    remark: str = ""

    @property
    def reason(self) -> str:
        if self.kind.is_silent and self.status is not None:
            return self.status.reason.value
        return self.kind.value


class StretchRecorder:
    """Takes every step of one market's run, in order, and hands on each stretch once it has ended.

    Args:
        take_stretch: told each stretch that lasted, in order of their ends; both sides.
    """

    def __init__(self, take_stretch: Callable[[Stretch], None] = lambda _: None) -> None:
        self.totals: dict[Side, Counter[str]] = {side: Counter() for side in SIDES}
        """Nanoseconds of the stretches that have ended, by reason."""
        self.unexplained: Counter[Side] = Counter()
        """Nanoseconds of them without a reason."""
        self.began_at: int | None = None
        """Time of the first step."""
        self.now = 0
        """Time of the last one."""
        self._open: dict[Side, _Open] = {}
        self._take_stretch = take_stretch
        self._gap: tuple[StretchKind, str] | None = None

    def take(self, result: StepResult, machine: QuotingMachine) -> None:
        """One step has been made, and the machine stands where it left it."""
        if self.began_at is None:
            self.began_at = result.time
        self.now = max(self.now, result.time)
        self._gap = None
        context = machine.context
        for side in SIDES:
            status, current = context.sides[side].status, self._open.get(side)
            if current is not None and status is current.status and current.kind in _SETTLED:
                continue  # nearly every step
            kind = _kind(context, status)
            if current is not None and kind is current.kind and _is_same(status, current.status):
                continue
            self._change(side, _began(result, machine, side, status, kind, self.now), result, context)

    def go_on_from(self, machine: QuotingMachine) -> None:
        """Begin in the midst of a run, with a machine before its next step: what made its sides so is not known."""
        if self.began_at is None:
            self.began_at = machine.now
        self.now = max(self.now, machine.now)
        self._gap = None
        for side in SIDES:
            status = machine.context.sides[side].status
            kind = _kind(machine.context, status)
            self._replace(side, _Open(self.now, kind, status, machine.chart_state, None, Decision()))

    def begin_process(self) -> None:
        """What comes next is another process's: until its first step nothing ran.

        After steps that are not on record nobody can tell how long the process before went on, unless it has ended.
        """
        if self._gap is None or self._gap[0] is not StretchKind.NOT_RECORDED:
            self.end_process()

    def end_process(self) -> None:
        """The process ended in order: until the first step of another one nothing runs."""
        self._leave_gap(StretchKind.NOT_RUNNING)

    def pass_over(self, until: int, cause: str, *, ends_process: bool = False) -> None:
        """The record says nothing of what was decided until then.

        Args:
            until: nanoseconds.
            cause: why, in words.
            ends_process: whether that is the last that its process did.
        """
        if self.began_at is None:
            self.began_at = self.now = until
        self._leave_gap(StretchKind.NOT_RECORDED, cause)
        self.now = max(self.now, until)
        if ends_process:
            self.end_process()

    def end(self) -> None:
        """Nothing follows: hand on the stretches that are still open, as far as the record goes."""
        self._gap = None
        for side in SIDES:
            current = self._open.pop(side, None)
            if current is not None:
                self._hand_on(side, current, None, "")

    def current(self, side: Side) -> Stretch | None:
        """The stretch that a side is in, until now; None before the first step."""
        current = self._open.get(side)
        return None if current is None else _stretch(side, current, self.now, None, "")

    # -- inside -----------------------------------------------------------------------------------------------------

    def _change(self, side: Side, following: _Open, result: StepResult, context: MarketMakingContext) -> None:
        current = self._open.get(side)
        self._open[side] = following
        if current is not None:
            moment = following.began or Moment(step=result.sequence, fact=fact_words(result.fact, context))
            self._hand_on(side, current, moment, following.reason)

    def _leave_gap(self, kind: StretchKind, remark: str = "") -> None:
        if self._gap == (kind, remark):
            return
        for side in SIDES:
            self._replace(side, _Open(self.now, kind, None, "", None, Decision(), remark))
        self._gap = kind, remark

    def _replace(self, side: Side, following: _Open) -> None:
        """Let another stretch begin that no step began."""
        current = self._open.get(side)
        self._open[side] = following
        if current is not None:
            self._hand_on(side, current, None, following.reason)

    def _hand_on(self, side: Side, current: _Open, moment: Moment | None, following: str) -> None:
        stretch = _stretch(side, current, self.now, moment, following)
        if stretch.duration <= 0:
            return
        self.totals[side][stretch.reason] += stretch.duration
        if not stretch.is_explained:
            self.unexplained[side] += stretch.duration
        self._take_stretch(stretch)


def _stretch(side: Side, current: _Open, end: int, moment: Moment | None, following: str) -> Stretch:
    status = current.status
    return Stretch(
        side=side,
        begin=current.begin,
        end=end,
        kind=current.kind,
        reason=current.reason,
        detail=current.remark if status is None else status.detail,
        until=None if status is None else status.until,
        state=current.state,
        began=current.began,
        decision=current.decision,
        ended=moment,
        followed_by=following,
    )


# -- what a side is ----------------------------------------------------------------------------------------------------

_SETTLED: Final = frozenset({StretchKind.LIVE, StretchKind.HELD})
"""What only another status ends; the others depend on orders too."""
_WAITING: Final = frozenset({HoldReason.ORDERS_IN_FLIGHT, HoldReason.UNKNOWN_ORDER})


def _kind(context: MarketMakingContext, status: Hold | None) -> StretchKind:
    """What a side is, checked against the orders there are: a wait for an answer needs something that was asked."""
    if status is None:
        return StretchKind.LIVE
    if status.reason not in _WAITING:
        return StretchKind.HELD
    if context.orders.has_unknown():
        return StretchKind.ON_ITS_WAY
    for order in context.orders.live():
        if order.is_request_outstanding or order.cancel_in_flight or order.cancel_due:
            return StretchKind.ON_ITS_WAY
    return StretchKind.UNEXPLAINED


def _is_same(status: Hold | None, before: Hold | None) -> bool:
    """Whether it is one stretch still: figures of a hold change while its reason stays."""
    if status is before:
        return True
    return status is not None and before is not None and status.reason is before.reason


def _began(  # noqa: PLR0917 - the step, and what it made of the side
    result: StepResult, machine: QuotingMachine, side: Side, status: Hold | None, kind: StretchKind, now: int
) -> _Open:
    moment = Moment(step=result.sequence, fact=fact_words(result.fact, machine.context))
    return _Open(now, kind, status, result.state, moment, decision_of(result, machine, side))


# -- who decided -------------------------------------------------------------------------------------------------------

_OF_THE_DESK: Final = frozenset(
    {RefusalCode.REQUEST_UNANSWERED, *(each.refusal for each in permission.NO_QUOTE_LEAVES if each.refusal)}
)


def decision_of(result: StepResult, machine: QuotingMachine, side: Side) -> Decision:
    """Who decided that a side is as it is.

    Args:
        result: of the step that made the side so.
        machine: as it stands; asked for its services' answers and its guards, changes nothing.
        side: bid or ask.
    """
    status = machine.context.sides[side].status
    taken = tuple(f"{each.source}.{each.event}" for each in result.transitions)
    service = "" if status is None else _service(machine.context, side, status)
    if result.transitions:
        first = result.transitions[0]
        edges = [each for each in machine.definition.edges_from(first.source) if each.event == first.event]
        guards = edges[0].guards if edges else ()
        return Decision(edges=taken, guard=" and ".join(map(str, guards)), service=service)
    waits = "" if service or status is None else _unmet(machine)
    return Decision(guard=waits, service=service)


def _service(context: MarketMakingContext, side: Side, status: Hold) -> str:
    """The service whose answer the hold is, in the order in which a side's reasons are asked; empty where none is."""
    plan, refusal = context.plan, context.sides[side].refusal
    if any(condition.reason is status.reason for condition in permission.MACHINE):
        return ""
    if plan is None:
        return "spreads.hold_market" if permission.first_hold(permission.MARKET, context) is not None else ""
    if status == plan.hold(side):
        return "spreads.price_quotes"
    if refusal is None or status != refusal:
        return ""
    if status in {QUOTES_LEAVE, NOT_PLACED}:
        return "orders.plan_changes"
    return "" if permission.refusal_code(status) in _OF_THE_DESK else "risk.review"


def _unmet(machine: QuotingMachine) -> str:
    """The guards that keep the machine where it is: of the edge onwards that lacks the fewest of them."""
    state = machine.chart_state
    faults = {edge.target for edge in machine.definition.edges if edge.event == machine.definition.fault_event}
    onwards = [
        edge
        for edge in machine.definition.edges_from(state)
        if edge.guards and not edge.command and edge.target not in faults | {state}
    ]
    lacking = [(edge, unmet) for edge in onwards if (unmet := _lacking(machine, edge))]
    if not lacking:
        return ""
    edge, unmet = min(lacking, key=lambda each: len(each[1]))
    return f"{' and '.join(unmet)} ({edge.source}.{edge.event} waits for it)"


def _lacking(machine: QuotingMachine, edge: EdgeDefinition) -> list[str]:
    """The guards of an edge that do not answer as it needs them; a guard that raises is the machine's own fault."""
    found = []
    for guard in edge.guards:
        with suppress(Exception):  # of a subclass: the step that asks the guard says what it raised
            if bool(getattr(machine, guard.name)()) is not guard.expected:
                found.append(str(guard))
    return found
