"""Hypothesis looks for a sequence of facts, or of events, after which something does not hold, and shrinks it.

What it finds is printed as a test that can be pasted into a file and run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Final
from unittest import TestCase

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from statemachine import StateChart
from statemachine.exceptions import TransitionNotAllowed

from mm_fsm.core.messages import OrderFact, OwnTradesReported, RejectionCode, RequestKind
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import FactRefusedError
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.services.protocols import Services
from mm_fsm.testing.forced import ForcedMachine
from mm_fsm.testing.foreign import AnyChart, definition_for
from mm_fsm.testing.harness import MachineHarness
from mm_fsm.testing.invariants import MARKET_MAKER_INVARIANTS
from mm_fsm.testing.problems import GenerationError
from mm_fsm.testing.sneak import first_difference

WAITS: Final = (0.001, 0.3, 1.0, 1.5, 4.0, 21.0)
"""Seconds: within every deadline of ``quick_settings``, and past each of the short ones."""

_picks = st.integers(0, 5)


def model_test(
    chart: AnyChart,
    *,
    services: Callable[[], Services] | None = None,
    settings: MarketMakingSettings | None = None,
    invariants: Iterable[Callable[..., None]] | None = None,
    make: Callable[[], StateChart[Any]] | None = None,
    ways: Mapping[str, Callable[[Any, bool], None]] | None = None,
) -> type[TestCase]:
    """A test class: assign it to a name that begins with ``Test``. Its ``settings`` are hypothesis's.

    A market maker is told facts by a venue, a market and a clock that are unreliable but never lie about money. Any
    other chart is sent its events: where ``make`` is given, to a real machine; else to the chart's structure with
    forced guards, which is compared with what the definition says.

    Args:
        chart: one of our charts, or a flat python-statemachine class.
        services: makes what a market maker uses.
        settings: of a market maker; by default ``quick_settings()``.
        invariants: looked at after every step: ``invariant(harness, result)`` for a market maker, by default
            ``MARKET_MAKER_INVARIANTS``; ``invariant(machine)`` for any other chart.
        make: makes a real machine of another chart.
        ways: how to make each of its guards true or false, ``way(machine, wanted)``.

    Raises:
        GenerationError: the chart will not do, or arguments are given that it has no use for.
    """
    if issubclass(chart, QuotingMachine):
        if make is not None or ways is not None:
            raise GenerationError(
                chart.__name__, "make and ways were given.", "A market maker is told facts: leave them out."
            )
        looked_at = MARKET_MAKER_INVARIANTS if invariants is None else tuple(invariants)
        model = type(
            f"ModelOf{chart.__name__}",
            (MarketMakerModel,),
            {"chart": chart, "services": staticmethod(services) if services else None, "invariants_": looked_at,
             "machine_settings": settings},
        )  # fmt: skip
    else:
        if services is not None or settings is not None:
            raise GenerationError(chart.__name__, "services or settings were given.", "Only a market maker has them.")
        model = _event_model(chart, tuple(invariants or ()), make, ways or {})
    found: type[TestCase] = model.TestCase  # type: ignore[attr-defined]
    return found


class _Model(RuleBasedStateMachine):
    """Notes what it does as lines of a test, and shows them when something does not hold."""

    chart: ClassVar[type]

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def do(self, line: str, step: Callable[[], object]) -> None:
        """Carry out what a line of the test says."""
        self.lines.append(line)
        try:
            step()
        except Exception as error:
            error.add_note(self.as_test())
            raise

    def as_test(self) -> str:
        """Everything so far as a test that can be run."""
        raise NotImplementedError


class MarketMakerModel(_Model):
    """Everything that markets, venues, clocks and operators do to a market maker, in any order."""

    chart: ClassVar[type[QuotingMachine]]
    services: ClassVar[Callable[[], Services] | None]
    machine_settings: ClassVar[MarketMakingSettings | None]
    invariants_: ClassVar[tuple[Callable[..., None], ...]]

    def __init__(self) -> None:
        super().__init__()
        self.harness = MachineHarness(
            self.chart,
            self.machine_settings,
            services=self.services() if self.services else None,
            invariants=self.invariants_,
        )

    def as_test(self) -> str:
        """A test with a harness and one line for each thing that happened."""
        names = {"Decimal", *(line.split("(", 1)[1].split(".")[0] for line in self.lines if "Code." in line)}
        arguments = [self.chart.__name__]
        if self.machine_settings is not None:
            arguments.append("settings")
        if self.services is not None:
            arguments.append(f"services={self.services.__qualname__}()")
        named = ", ".join(invariant.__name__ for invariant in self.invariants_)
        is_shipped = self.invariants_ == MARKET_MAKER_INVARIANTS
        arguments.append(f"invariants={'MARKET_MAKER_INVARIANTS' if is_shipped else f'({named},)'}")
        body = "\n".join(f"    harness.{line}" for line in self.lines)
        del names
        return (
            "It is reproduced by:\n\n"
            "from decimal import Decimal\n\n"
            f"from {self.chart.__module__} import {self.chart.__name__}\n"
            "from mm_fsm.core.messages import RejectionCode, RequestKind\n"
            "from mm_fsm.testing import MARKET_MAKER_INVARIANTS, MachineHarness\n\n\n"
            "def test_it_holds() -> None:\n"
            f"    harness = MachineHarness({', '.join(arguments)})\n"
            f"{body}\n"
        )

    def tell(self, method: str, *arguments: object, **keywords: object) -> None:
        """Call a method of the harness. A fact that the machine refuses must change nothing."""
        written = [_written(value) for value in arguments]
        written += [f"{name}={_written(value)}" for name, value in keywords.items()]
        harness = self.harness

        def step() -> None:
            before = harness.snapshot()
            told = len(harness.facts)
            try:
                getattr(harness, method)(*arguments, **keywords)
            except FactRefusedError as error:
                after = harness.snapshot()
                if len(harness.facts) == told and after != before:
                    change = first_difference(repr(before), repr(after))
                    raise AssertionError(f"a refused fact changed something: {change}") from error

        self.do(f"{method}({', '.join(written)})", step)

    def _pick(self, index: int) -> str | None:
        """One of the latest orders, the newest first."""
        names = list(self.harness.venue.orders)
        return names[-1 - index % len(names)] if names else None

    @initialize()
    def begin(self) -> None:
        """Make quoting likely: answer what is asked first, and warm up."""
        for _ in range(4):
            self.tell("later", 1.0)
            self.tell("show_book")
            self.tell("answer")

    @rule(move=st.integers(-25, 25), half_spread=st.integers(1, 4))
    def book(self, move: int, half_spread: int) -> None:
        """The market moves, by ticks."""
        self.tell("show_book", move, half_spread=half_spread)

    @rule(bids=st.booleans())
    def one_sided_book(self, bids: bool) -> None:  # noqa: FBT001 - drawn
        """A side of the market is empty."""
        self.tell("show_book", bids=bids, asks=not bids)

    @rule(seconds=st.sampled_from(WAITS))
    def wait(self, seconds: float) -> None:
        """Time passes and a timer comes."""
        self.tell("wait", seconds)

    @rule()
    def wake(self) -> None:
        """The timer comes that was asked for."""
        self.tell("wake")

    @rule()
    def beat(self) -> None:
        """The feed is alive."""
        self.tell("beat")

    @precondition(lambda self: self.harness.outstanding)
    @rule(count=st.integers(1, 5))
    def answer(self, count: int) -> None:
        """The venue answers."""
        self.tell("answer", count)

    @precondition(lambda self: self.harness.outstanding)
    @rule()
    def drop(self) -> None:
        """A request never arrives."""
        self.tell("drop")

    @precondition(lambda self: self.harness.venue.orders)
    @rule(index=_picks, share=st.sampled_from([Decimal("0.3"), Decimal(1)]))
    def fill(self, index: int, share: Decimal) -> None:
        """An order trades."""
        order_id = self._pick(index)
        if order_id and self.harness.venue.orders[order_id].remaining:
            self.tell("fill", order_id, share)

    @precondition(lambda self: self.harness.venue.orders)
    @rule(index=_picks, code=st.sampled_from(RejectionCode))
    def reject(self, index: int, code: RejectionCode) -> None:
        """The venue refuses a placement that it has not answered yet."""
        order_id = self._pick(index)
        if order_id and not self.harness.venue.orders[order_id].is_known:
            self.tell("reject", order_id, code)

    @precondition(lambda self: self.harness.venue.orders)
    @rule(index=_picks, what=st.sampled_from(["take_out", "refuse_cancel", "report"]))
    def hear_of_order(self, index: int, what: str) -> None:
        """The venue says something about an order."""
        if order_id := self._pick(index):
            self.tell(what, order_id)

    @precondition(lambda self: self.harness.venue.orders)
    @rule(index=_picks)
    def revive(self, index: int) -> None:
        """An order is in the book again."""
        order_id = self._pick(index)
        if order_id and self.harness.venue.orders[order_id].remaining:
            self.tell("revive", order_id)

    @precondition(lambda self: self.harness.venue.orders)
    @rule(index=_picks, request=st.sampled_from([RequestKind.PLACE, RequestKind.CANCEL]))
    def lose(self, index: int, request: RequestKind) -> None:
        """No usable answer comes."""
        if order_id := self._pick(index):
            self.tell("lose", order_id, request)

    @rule(index=st.integers(0, 20))
    def repeat(self, index: int) -> None:
        """News about an order comes twice."""
        places = [i for i, fact in enumerate(self.harness.facts) if isinstance(fact, OrderFact | OwnTradesReported)]
        if places:
            self.tell("repeat", places[-1 - index % len(places)])

    @rule(base=st.sampled_from([Decimal("-0.5"), Decimal("0.5"), Decimal(20)]))
    def move_funds(self, base: Decimal) -> None:
        """A deposit or a withdrawal."""
        self.tell("move_funds", base)

    @rule(what=st.sampled_from(["report_balances", "reconnect"]))
    def account(self, what: str) -> None:
        """The venue reports the account, or the connection is back."""
        self.tell(what)

    @rule(is_open=st.booleans())
    def trading(self, is_open: bool) -> None:  # noqa: FBT001
        """The venue opens or halts the market."""
        self.tell("set_trading", is_open=is_open)

    @precondition(lambda self: len(self.lines) > 25)
    @rule(flatten=st.booleans())
    def stop(self, flatten: bool) -> None:  # noqa: FBT001
        """An operator asks for the end."""
        self.tell("stop", flatten=flatten)


def _written(value: object) -> str:
    return f"{type(value).__name__}.{value.name}" if isinstance(value, Enum) else repr(value)


def _event_model(
    chart: AnyChart,
    invariants: tuple[Callable[..., None], ...],
    make: Callable[[], StateChart[Any]] | None,
    ways: Mapping[str, Callable[[Any, bool], None]],
) -> type[RuleBasedStateMachine]:
    definition = definition_for(chart)
    guards = sorted(ways) if make is not None else list(definition.guard_names)
    settable = st.sampled_from(guards) if guards else st.nothing()

    class EventModel(_Model):
        """Sends events, and makes guards true and false, in any order."""

        def __init__(self) -> None:
            super().__init__()
            self.forced = ForcedMachine(chart) if make is None else None
            self.machine: StateChart[Any] = make() if make is not None else self.forced.engine  # type: ignore[union-attr]

        @precondition(lambda _self: bool(guards))
        @rule(guard=settable, wanted=st.booleans())
        def set_guard(self, guard: str, wanted: bool) -> None:  # noqa: FBT001
            """Make a guard true or false."""
            if self.forced is not None:
                self.do(f"forced.answers[{guard!r}] = {wanted}", lambda: self.forced.answers.update({guard: wanted}))  # type: ignore[union-attr]
            else:
                self.do(f"ways[{guard!r}](machine, {wanted})", lambda: ways[guard](self.machine, wanted))

        @rule(event=st.sampled_from(definition.events))
        def send(self, event: str) -> None:
            """Send an event, whether it is accepted or not."""
            self.do(f"send(machine, {event!r})", lambda: self._send(event))

        def _send(self, event: str) -> None:
            before = _state_of(self.machine)
            try:
                self.machine.send(event)
            except TransitionNotAllowed:
                assert _state_of(self.machine) == before, "a refused event changed the state"
            after = _state_of(self.machine)
            if self.forced is not None:
                expected = self._expected(before, event)
                assert after == expected, f"{event} led from {before} to {after}; declared is {expected}"
            else:
                targets = {e.target for e in definition.edges_from(before) if e.event == event}
                assert after == before or after in targets or definition.fault_event, f"{before} to {after} by {event}"
            for invariant in invariants:
                invariant(self.machine)

        def _expected(self, state: str, event: str) -> str:
            answers = self.forced.answers  # type: ignore[union-attr]
            for edge in definition.edges_from(state):
                if edge.event == event and all(answers[g.name] is g.expected for g in edge.guards):
                    return edge.target
            return state

        def as_test(self) -> str:
            """A test with one line for each event."""
            name, module = chart.__name__, chart.__module__
            is_forced = self.forced is not None
            if is_forced:
                made = f"    forced = ForcedMachine({name})\n    machine = forced.engine\n"
            else:
                made = f"    machine = {make.__qualname__}()\n"  # type: ignore[union-attr]
            body = "\n".join(f"    {line.replace('send(machine, ', 'machine.send(')}" for line in self.lines)
            extra = "from mm_fsm.testing import ForcedMachine\n" if is_forced else ""
            looked_at = "".join(f"    {invariant.__qualname__}(machine)\n" for invariant in invariants)
            end = looked_at or f"    # in {_state_of(self.machine)}\n"
            return (
                f"It is reproduced by:\n\nfrom {module} import {name}\n{extra}\n\n"
                f"def test_it_holds() -> None:\n{made}{body}\n{end}"
            )

    EventModel.__name__ = EventModel.__qualname__ = f"ModelOf{chart.__name__}"
    return EventModel


def _state_of(machine: StateChart[Any]) -> str:
    return next(iter(machine.configuration)).id
