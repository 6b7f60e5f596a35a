"""The strategy-neutral machine: a declared chart, and the stepper that runs it over the books of a bookkeeper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Protocol, Self

import statemachine

from mm_fsm.books.digest import BooksDigest
from mm_fsm.chart import Chart, ChartDefinition, EngineExecutor, ExecutorKind, chart_of, definition_of
from mm_fsm.chart.listeners import WATCHERS
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.machine.bookkeeper import Bookkeeper
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult
from mm_fsm.machine.stepper import STATE_FIELD, Stepper

LINES: Final = "lines"
"""Section of ``StrategyMachine.shown``: figures by name, which are drawn over time, such as prices."""
BANDS: Final = "bands"
"""Section of ``StrategyMachine.shown``: texts by name, drawn as stretches over time; a text that changes is a hold's
beginning or end. Up to the first comma it says what is coloured alike; ``live`` is good."""
COUNTS: Final = "counts"
"""Section of ``StrategyMachine.shown``: how often something happened, by name."""
FILLS: Final = "fills"
"""Name in ``COUNTS``: how many fills are booked. A step at which it changes is a fill; where it is not shown, a step is
one whose fact reports a trade."""


class BooksOnRecord(Protocol):
    """Books into which a journal's records are booked once more, without market data and without deciding anything."""

    def book(self, fact: Fact, intents: tuple[Intent, ...], recorded: Mapping[str, str | None]) -> None:
        """Book one record. ``recorded`` has what it carries by name; None where that did not change.

        Raises:
            ValueError: the record does not fit the books.
        """
        ...

    def amounts(self) -> Mapping[str, object]:
        """What must follow from the records alone, by name.

        Nothing else may change it, and a record that carries one of these names carries this amount as text.
        """
        ...


class StrategyMachine(Chart):
    """Base of machines that trade: subclasses declare the chart, its guards and its actions.

    A journal, a replay and the inspector know no strategy. What they need, the machine's class says:

    ==========================  ====================================================================================
    ``remembered``,             what later steps depend on: snapshots hold it, a replay begins with it
    ``Bookkeeper.remembered_values``
    ``snapshot_classes``        the strategy's own value classes among that
    ``made_for``, ``restored``  how a machine is made that goes on from a snapshot
    ``digest``                  what must be equal after each step of a replay
    ``recorded``,               what every record carries beside the step
    ``recorded_values``
    ``books_on_record``         how records are checked where no market data was recorded
    ``shown``                   what people see of the machine at one step
    ==========================  ====================================================================================

    The machine does no I/O, reads no clock, draws no random number, and is synchronous.

    Args:
        bookkeeper: how facts are admitted and booked, and what follows; by default nothing but time is booked.
        executor: what runs the chart: ``"table"``, or ``"engine"`` for python-statemachine's, the reference. Decisions
            are the same.

    Raises:
        ValueError: ``executor`` is neither.
    """

    chart_fault_event: ClassVar[str | None] = "error_execution"
    remembered: ClassVar[tuple[str, ...]] = ()
    """Attributes of a subclass that later steps depend on: a restart and a replay carry them."""
    snapshot_classes: ClassVar[tuple[type, ...]] = ()
    """The strategy's own value classes in what it remembers: attrs classes and enumerations. Plain values and the value
    objects of mm_fsm need no mention."""
    recorded: ClassVar[tuple[str, ...]] = ()
    """Names of what a journal's record carries beside the step: columns of its table of records."""

    def __init__(self, bookkeeper: Bookkeeper | None = None, *, executor: str = ExecutorKind.TABLE) -> None:
        cls = type(self)
        definition = definition_of(cls)
        self.chart_state: str = definition.initial.id
        """The current state; the executor writes it."""
        reference = EngineExecutor(chart_of(cls), self, STATE_FIELD)
        self.stepper = Stepper(self, definition, bookkeeper or Bookkeeper(), reference, ExecutorKind(executor))
        """Runs the chart; its parts are no names of the chart."""
        for watcher in WATCHERS:
            watcher.machine_was_made(self)

    def step(self, fact: Fact) -> StepResult:
        """Book one fact, let the chart react, and return what is to be done.

        Raises:
            FactRefusedError: the fact is malformed or impossible; nothing has changed.
        """
        return self.stepper.step(fact)

    def observe(self, observer: MachineObserver) -> None:
        """Tell ``observer`` everything from now on."""
        self.stepper.observe(observer)

    def find_wake_time(self) -> int | None:
        """A time of your own at which a guard may change its answer; the host sends a ``Timer`` then. Override it."""
        return None

    # -- looking ----------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The latest time any fact carried, nanoseconds."""
        return self.stepper.bookkeeper.now

    @property
    def is_final(self) -> bool:
        """Whether the machine has ended."""
        return self.stepper.is_final

    @property
    def definition(self) -> ChartDefinition:
        """The chart that this machine runs."""
        return self.stepper.definition

    @property
    def engine(self) -> statemachine.StateChart[Any]:
        """The reference: python-statemachine's chart in this machine's state, whatever runs it.

        Look, do not send: events go through ``step``.
        """
        return self.stepper.reference.engine

    @property
    def sequence(self) -> int:
        """Steps taken so far."""
        return self.stepper.visits.sequence

    @property
    def transition_counts(self) -> Counter[str]:
        """How often edges were taken, by ``source.event``, which several may share."""
        return self.stepper.visits.transition_counts

    @property
    def edge_counts(self) -> Counter[str]:
        """How often each edge was taken, by ``EdgeDefinition.id``."""
        return self.stepper.visits.edge_counts

    def durations_until_now(self) -> dict[str, int]:
        """Nanoseconds spent in each state, the current visit included."""
        return self.stepper.visits.durations_until(self.now, self.chart_state)

    def shown(self) -> Mapping[str, object]:
        """What people see of the machine now, by name, in the order to be shown. Looking changes nothing.

        Values are plain: None, truth values, numbers, texts, and sequences and mappings of these. A sequence of
        mappings is a table. By default the attributes that subclasses remember; override it.

        Some names mean something to whoever draws them: the sections ``LINES`` and ``BANDS``, and ``FILLS`` in
        ``COUNTS``. A strategy shows those that it has.
        """
        return {name: getattr(self, name) for name in self._remembered_names()}

    # -- on record --------------------------------------------------------------------------------------------------

    def digest(self) -> str:
        """Hexadecimal digits, at least 32: machines that would go on alike have equal digests, in every process.

        By default of everything that the machine remembers, written anew each time. A machine with large books says
        something cheaper.
        """
        return BooksDigest().of(tuple(self.remembered_values().values()))

    def recorded_values(self) -> tuple[str | None, ...]:
        """What a record of the latest step carries, one text for each name in ``recorded``; None: there is none yet.

        A replay must find the same text, so none may hang on the order of a set, on an identity, or on the process.
        A step at which one of them is there for the first time is recorded even if it moved nothing.
        """
        return ()

    @classmethod
    def books_on_record(cls, values: Mapping[str, Any]) -> BooksOnRecord | None:
        """The books in a snapshot, for booking records again; None where a strategy has no such books.

        Raises:
            ValueError: the snapshot is of another kind of machine.
        """
        del values
        return None

    # -- going on where another left off ----------------------------------------------------------------------------

    @classmethod
    def restored(cls, values: Mapping[str, Any], services: Any = None, settings: Any = None) -> Self:
        """A machine that stands where the one stood whose ``remembered_values`` these are.

        Args:
            values: of a snapshot; they belong to the new machine.
            services: what the machine calls, in place of what it would choose; only for classes that take them.
            settings: to go on with, in place of those in ``values``; only for classes that take them.

        Raises:
            ValueError: the values are of another kind of machine, or something was handed over that this one does not
                take.
        """
        for name, given in (("services", services), ("settings", settings)):
            if given is not None:
                raise ValueError(f"{name}: expected none for {cls.__name__}, found {type(given).__name__}.")
        machine = cls.made_for(values)
        machine.continue_from(values)
        return machine

    @classmethod
    def made_for(cls, values: Mapping[str, Any]) -> Self:
        """A machine that can go on from what ``values`` hold, not yet going on.

        A class that cannot be made without arguments overrides this, and remembers what it needs for that.
        """
        del values
        return cls()

    def remembered_values(self) -> dict[str, object]:
        """Everything that later steps depend on, by name; the values themselves, no copies.

        Raises:
            ValueError: a name in ``remembered`` is no attribute, or is remembered twice.
        """
        own: dict[str, object] = {STATE_FIELD: self.chart_state}
        own |= {name: self._remembered_value(name) for name in self._remembered_names()}
        own["visits"] = self.stepper.visits
        booked = self.stepper.bookkeeper.remembered_values()
        twice = sorted(own.keys() & booked.keys())
        if twice:
            raise ValueError(f"remembered: expected names that its bookkeeper does not use, found {twice}.")
        return {**own, **booked}

    def _remembered_names(self) -> list[str]:
        return [name for cls in type(self).__mro__ for name in vars(cls).get("remembered", ())]

    def _remembered_value(self, name: str) -> object:
        if name in {STATE_FIELD, "visits"} or not hasattr(self, name):
            problem = f"expected an attribute of {type(self).__name__} from its making on, found {name!r}."
            raise ValueError(f"remembered: {problem}")
        value: object = getattr(self, name)
        return value

    def continue_from(self, values: Mapping[str, Any]) -> None:
        """Go on exactly where the machine stood whose ``remembered_values`` these are. No state is entered.

        Raises:
            ValueError: this machine's chart does not have the state it stood in, or it remembered something else.
        """
        parts = self.stepper.bookkeeper.remembered_values().keys()
        missing = sorted({STATE_FIELD, "visits", *parts} - values.keys())
        if missing:
            raise ValueError(f"expected what a {type(self).__name__} remembers, found nothing under {missing}.")
        states = [state.id for state in self.definition.states]
        if values[STATE_FIELD] not in states:
            raise ValueError(f"{STATE_FIELD}: expected one of {states}, found {values[STATE_FIELD]!r}.")
        self.stepper.bookkeeper.continue_from({name: values[name] for name in parts})
        self.stepper.visits = values["visits"]
        for name in values.keys() - parts - {"visits"}:
            setattr(self, name, values[name])
        self.stepper.resume()
