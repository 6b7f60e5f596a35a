"""``model_test`` and ``replay``: a chart's machine under random moves, held against its definition and invariants."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Final

from attrs import frozen
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from mm_fsm.coverage.reading import reference_of
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.testing.driving.driver import Driver
from mm_fsm.testing.driving.machines import FactFor, MachineDriven
from mm_fsm.testing.models.acts import Act
from mm_fsm.testing.models.choices import Choice, Facts, choices
from mm_fsm.testing.models.plays import EnginePlay, FactsPlay, MachinePlay, Play
from mm_fsm.testing.models.shortening import failure_of, shortened
from mm_fsm.testing.models.source import Source
from mm_fsm.testing.problems import GeneratedTestError, NotAgainError, UnsupportedChartError
from mm_fsm.testing.subjects.making import driver_for, maker_of, read_flat
from mm_fsm.testing.subjects.registry import subject_of
from mm_fsm.testing.subjects.subject import Invariant, Opening, ServicesFactory
from mm_fsm.testing.subjects.ways import Ways


@frozen(kw_only=True, slots=False)
class _Tested:
    """What is tested, and how one of it is made; each as the user gave it, so that it can be printed."""

    chart: type
    make: Callable[[], Any] | None
    services: ServicesFactory | None
    invariants: tuple[Invariant, ...]
    opening: Opening | None
    commands: Mapping[str, FactFor] | None
    real_guards: bool

    def __attrs_post_init__(self) -> None:
        given = [self.make, self.services, self.opening, *(self.commands or {}).values(), *self.invariants]
        for name in [_name_of(function) for function in given if function is not None]:
            if not name.isidentifier():
                raise UnsupportedChartError(
                    reference_of(self.chart),
                    f"{name} has no name, so that no printed test could use it.",
                    "Write it as a function with a name.",
                )
        read_flat(self.chart, "a generated model")
        if self.real_guards and not self.is_machine:
            raise UnsupportedChartError(
                reference_of(self.chart), "it is told no facts.", "Leave facts out: events are sent to it."
            )

    @property
    def is_machine(self) -> bool:
        """Whether it is a machine of ours, which takes steps."""
        return issubclass(self.chart, StrategyMachine)

    @cached_property
    def driver(self) -> Driver:
        """Makes machines whose guards are forced."""
        return driver_for(self.chart, maker_of(self.chart, self.make, self.services), self.commands)

    def play(self) -> Play:
        """A new machine, about which every invariant has been asked once."""
        play = self._new_play()
        play.ask_invariants()
        return play

    def _new_play(self) -> Play:
        subject = subject_of(self.chart)
        invariants = (*subject.invariants, *self.invariants)
        told = self.opening or subject.situation.opening
        if self.real_guards:
            invariants = (*subject.invariants_of_own_guards, *invariants)
            machine = maker_of(self.chart, self.make, self.services)()
            return FactsPlay(machine, self.driver.model, invariants, told)
        driven = self.driver.start()
        if isinstance(driven, MachineDriven):
            return MachinePlay(driven, invariants, told)
        return EnginePlay(driven, invariants)


def _name_of(function: Any) -> str:
    return str(getattr(function, "__name__", repr(function)))


def model_test(
    chart: type,
    *,
    make: Callable[[], Any] | None = None,
    services: ServicesFactory | None = None,
    invariants: Sequence[Invariant] = (),
    facts: Facts | None = None,
    opening: Opening | None = None,
    commands: Mapping[str, FactFor] | None = None,
    examples: int = 50,
    steps: int = 15,
) -> Callable[[], None]:
    """Make a test in which hypothesis makes random moves, and looks for the fewest that end badly.

    Assign the result to a name that pytest collects: ``test_model = model_test(Chart)``. Every run is the same.
    A failure prints a test that repeats it.

    Args:
        chart: one of our charts, or a flat class of python-statemachine.
        make: makes one machine. By default a market maker is made on the paper exchange's instrument, and any other
            class is called without arguments.
        services: makes the services of that market maker; by default those that its settings name.
        invariants: asked about the machine at the beginning and after every move; False, or an error, fails.
        facts: draws what a machine of ours is told; its guards are its own then. Without them guards are forced.
        opening: facts that a machine of ours is told first; by default, for a market maker, a few books.
        commands: by event, what makes the fact that carries a command of a machine of ours; ``stop`` is known.
        examples: how many lists of moves are tried.
        steps: the most choices for one list; each makes a move, or the few that lead to an edge.

    Raises:
        UnsupportedChartError: the chart has states within states, it needs ``make``, or something has no name.
    """
    tested = _Tested(
        chart=chart,
        make=make,
        services=services,
        invariants=tuple(invariants),
        opening=opening,
        commands=commands,
        real_guards=facts is not None,
    )
    ways = Ways(tested.driver)
    drawn = choices(ways, facts, is_machine=tested.is_machine)
    chosen = settings(_SETTINGS, max_examples=examples, stateful_step_count=steps)

    def test_model() -> None:
        _hunt(tested, ways, drawn, chosen)

    return test_model


def replay(
    chart: type,
    moves: Sequence[Act],
    *,
    make: Callable[[], Any] | None = None,
    services: ServicesFactory | None = None,
    invariants: Sequence[Invariant] = (),
    opening: Opening | None = None,
    commands: Mapping[str, FactFor] | None = None,
    real_guards: bool = False,
) -> None:
    """Make exactly these moves, as a printed test does; everything else is as in ``model_test``.

    Raises:
        AssertionError: the machine did not do what its definition says, or an invariant does not hold.
    """
    tested = _Tested(
        chart=chart,
        make=make,
        services=services,
        invariants=tuple(invariants),
        opening=opening,
        commands=commands,
        real_guards=real_guards,
    )
    play = tested.play()
    for move in moves:
        play.perform(move)


# -- hypothesis -------------------------------------------------------------------------------------------------------

_SETTINGS: Final = settings(
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
"""Every run makes the same moves, on every machine."""


def _hunt(tested: _Tested, ways: Ways, drawn: SearchStrategy[Choice], chosen: settings) -> None:
    """Look for moves that fail; print the fewest as a test, and fail with them."""
    failing: list[tuple[Act, ...]] = []
    try:
        run_state_machine_as_test(_state_machine(tested, drawn, failing), settings=chosen)
    except Exception as error:
        if not failing:
            raise
        moves = shortened(tested.play, min(reversed(failing), key=len), None if tested.real_guards else ways)
        failure = failure_of(tested.play, moves) or NotAgainError(error)
        source = _write_test(tested, moves)
        sys.stdout.write(f"\n{source}\n")
        raise GeneratedTestError(reference_of(tested.chart), moves, failure, source) from failure


def _state_machine(
    tested: _Tested, drawn: SearchStrategy[Choice], failing: list[tuple[Act, ...]]
) -> type[RuleBasedStateMachine]:
    """A state machine of hypothesis that plays, and notes every list of moves that fails."""

    class Moves(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.moves: tuple[Act, ...] = ()
            self.play = self._noting(tested.play)

        @rule(choice=drawn)
        def move(self, choice: Choice) -> None:
            for move in choice(self.play):
                self.moves = (*self.moves, move)
                self._noting(partial(self.play.perform, move))

        def _noting(self, act: Callable[[], Any]) -> Any:
            try:
                return act()
            except Exception:
                failing.append(self.moves)
                raise

    return Moves


# -- failures ---------------------------------------------------------------------------------------------------------


def _write_test(tested: _Tested, moves: Sequence[Act]) -> str:
    """A test that makes these moves, as text that can be pasted into a file of its own."""
    source = Source()
    chart = source.name(tested.chart)
    lines = [f"        {source.write(move)}," for move in moves]
    options = ("make", "services", "opening", "commands")
    given = {name: value for name in options if (value := getattr(tested, name)) is not None}
    arguments = [f"    {name}={source.write(value)}," for name, value in given.items()]
    if tested.invariants:
        arguments.append(f"    invariants={source.write(list(tested.invariants))},")
    if tested.real_guards:
        arguments.append("    real_guards=True,")
    name = re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", tested.chart.__name__).lower()
    call = [f"    {chart},", "    [", *lines, "    ],", *arguments]
    count = f"{len(moves)}_move{'' if len(moves) == 1 else 's'}"
    test = [f"def test_{name}_after_{count}() -> None:", "    replay("]
    body = [*test, *(f"    {line}" for line in call), "    )"]
    local = [f"# Paste it where {name} is defined." for name in source.local]
    source.name(replay)
    return "\n".join([*local, *source.imports(), "", "", *body])
