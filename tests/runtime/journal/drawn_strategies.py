"""Small strategies as hypothesis draws them: charts, own value classes, what is remembered, what is sent."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Self

from attrs import define, field, frozen
from hypothesis import strategies as st

from mm_fsm.books.digest import plainly, written
from mm_fsm.books.facts import ExternalFlow, Heartbeat, StopRequested, Timer
from mm_fsm.chart import State
from mm_fsm.core.messages import BookLevel, Fact, OrderPurpose, PlaceOrder, Side
from mm_fsm.machine.bookkeeper import Bookkeeper
from mm_fsm.machine.strategy import StrategyMachine

SYMBOL = "A/B"


class Mood(Enum):
    """An enumeration of a strategy's own."""

    CALM = "calm"
    WILD = ("wild", 1)


class Step(IntEnum):
    """One whose members are numbers."""

    ONE = 1
    TWO = 2


class Marks(IntFlag):
    """One whose members are combined."""

    LATE = 1
    LARGE = 2


@frozen
class Signal:
    """A value that cannot change."""

    name: str
    weight: Decimal
    mood: Mood = Mood.CALM


@define
class Leg:
    """A value that can."""

    signal: Signal
    history: list[Any] = field(factory=list)
    by_step: dict[Any, Any] = field(factory=dict)


OWN = (Mood, Step, Marks, Signal, Leg)

_texts = st.text(max_size=5)
_decimals = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-1000, max_value=1000)
_plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _texts, _decimals)
_signals = st.builds(Signal, _texts, _decimals, st.sampled_from(Mood))
_keys = st.one_of(_texts, st.integers(), st.sampled_from(Step), _signals)
VALUES = st.recursive(
    st.one_of(
        _plain,
        st.sampled_from(Mood),
        st.sampled_from(Step),
        _signals,
        st.sampled_from(Side),
        st.sampled_from((Marks.LATE, Marks.LATE | Marks.LARGE)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(_keys, inner, max_size=3),
        st.dictionaries(_keys, inner, max_size=3).map(OrderedDict),
        st.sets(_keys, max_size=3),
        st.dictionaries(_texts, st.integers(), max_size=3).map(Counter),
        st.builds(deque, st.lists(inner, max_size=3), st.just(4)),
        st.builds(Leg, _signals, st.lists(inner, max_size=2), st.dictionaries(_keys, inner, max_size=2)),
        st.builds(BookLevel, _decimals, _decimals),
    ),
    max_leaves=6,
)
"""Everything that a snapshot can hold."""


class CountingBookkeeper(Bookkeeper):
    """Books of its own: how often each kind of fact came."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: Counter[str] = Counter()

    def book(self, fact: Fact, admitted: object, *, is_final: bool) -> str | None:
        self.kinds[type(fact).__name__] += 1
        return super().book(fact, admitted, is_final=is_final)

    def remembered_values(self) -> Mapping[str, object]:
        return {"kinds": self.kinds, "now": self._now}

    def continue_from(self, values: Mapping[str, Any]) -> None:
        self.kinds, self._now = values["kinds"], values["now"]


@frozen
class Act:
    """What a strategy does at one fact."""

    kind: str
    value: Any = None


KINDS = ("rest", "move", "remember", "send", "say", "fail")
PROGRAMS = st.lists(
    st.one_of(st.builds(Act, st.sampled_from(KINDS)), st.builds(Act, st.just("remember"), VALUES)), max_size=25
).map(tuple)


class Drawn(StrategyMachine):
    """Does at its n-th fact what the n-th act of its program says."""

    snapshot_classes: ClassVar[tuple[type, ...]] = (*OWN, Act)
    remembered: ClassVar[tuple[str, ...]] = ("acted", "memory", "program")
    recorded: ClassVar[tuple[str, ...]] = ("acts", "last_value")

    def __init__(self, program: tuple[Act, ...] = ()) -> None:
        self.program = program
        self.acted = 0
        self.memory: list[Any] = []
        self.bookkeeper = CountingBookkeeper()
        super().__init__(self.bookkeeper)

    @classmethod
    def made_for(cls, values: Mapping[str, Any]) -> Self:
        return cls(values["program"])

    def recorded_values(self) -> tuple[str | None, ...]:
        return str(self.acted), written(plainly(self.memory[-1])) if self.memory else None

    @property
    def act(self) -> Act:
        number = self.bookkeeper.kinds.total() - 1
        return self.program[number] if number < len(self.program) else Act("rest")

    def is_due(self) -> bool:
        return self.acted < self.bookkeeper.kinds.total() and self.act.kind != "rest"

    def is_over(self) -> bool:
        return self.bookkeeper.kinds.total() > len(self.program)

    def do_act(self) -> None:
        act, draft = self.act, self.bookkeeper.draft
        self.acted = self.bookkeeper.kinds.total()
        if act.kind == "fail":
            raise ArithmeticError("as its program says")
        if act.kind == "remember":
            self.memory.append(act.value)
        if act.kind == "say":
            draft.explain(f"act {self.acted} in {self.chart_state}")
        if act.kind == "send":
            amounts: Any = {"price": Decimal(self.acted), "quantity": Decimal("0.10")}
            draft.stage(
                PlaceOrder(
                    symbol=SYMBOL,
                    client_order_id=f"drawn-{self.acted}",
                    side=Side.BID,
                    purpose=OrderPurpose.QUOTE,
                    level=0,
                    **amounts,
                )
            )


def ring(count: int) -> type[Drawn]:
    """A strategy whose acts lead it round so many states, to a fault state when one fails, and to an end."""
    states: dict[str, Any] = {f"state_{n}": State(f"STATE_{n}", initial=n == 0) for n in range(count)}
    first, *others = states.values()
    error, done = State("ERROR"), State("DONE", final=True)
    pairs = zip(states.values(), [*others, first], strict=True)
    edges = [source.to(target, cond="is_due", on="do_act") for source, target in pairs]
    return type(
        f"Ring{count}",
        (Drawn,),
        {
            **states,
            "error": error,
            "done": done,
            "finish": first.to(done, cond="is_over"),
            "act_now": reduce(or_, edges),
            "recover": error.to(first, cond="is_due"),
            "error_execution": error.from_.any(but=(error,), command=True)
            | error.to.itself(internal=True, command=True),
            "__module__": __name__,
        },
    )


RINGS = {count: ring(count) for count in (1, 2, 4)}


def facts(count: int) -> list[Fact]:
    """Facts of every kind of row: streaming ones, others, and some about money."""
    found: list[Fact] = []
    for number in range(1, count + 1):
        at = number * 1_000_000
        match number % 4:
            case 0:
                found.append(Timer(received_at=at))
            case 1:
                found.append(Heartbeat(received_at=at, symbol=SYMBOL))
            case 2:
                flow = {"base": Decimal(number), "quote": Decimal("-0.50"), "flow_id": str(number)}
                found.append(ExternalFlow(received_at=at, symbol="another", **flow))  # type: ignore[arg-type]
            case _:
                found.append(StopRequested(received_at=at, reason="\ud800 half a pair"))
    return found
