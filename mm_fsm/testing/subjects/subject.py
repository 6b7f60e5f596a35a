"""What generated tests have to know about one kind of machine; a kind without books needs nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from attrs import frozen

from mm_fsm.core.messages import Fact
from mm_fsm.coverage.reading import reference_of
from mm_fsm.machine.results import StepResult
from mm_fsm.testing.problems import UnsupportedChartError

Invariant = Callable[[Any], object]
"""Asked about a machine; False, or an error, fails the test."""
Opening = Callable[[Any], Iterable[Fact]]
"""What a machine is told first."""
ServicesFactory = Callable[[], Any]


@frozen(kw_only=True)
class Situation:
    """What a machine of ours lives through before something raises.

    Args:
        opening: facts that it is told first, one after the other, while it rests in its initial state.
        answers: facts that it is told after each further step, such as a venue's answers to what it asked for.
        by_way_of: a state that it passes on its way, where that can be.
    """

    opening: Opening = lambda _machine: ()
    answers: Callable[[Any, StepResult], Iterable[Fact]] = lambda _machine, _result: ()
    by_way_of: str | None = None


class Subject(Protocol):
    """One kind of machine under generated tests."""

    @property
    def situation(self) -> Situation:
        """What a machine lives through before something raises, where the test says nothing else."""
        ...

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """Hold after every step, whatever the machine is told and whatever its guards answer."""
        ...

    @property
    def invariants_of_own_guards(self) -> tuple[Invariant, ...]:
        """Hold besides, where the guards are the machine's own."""
        ...

    @property
    def service_methods(self) -> tuple[str, ...]:
        """Every method of its services, as ``role.method``; empty for machines without."""
        ...

    def make(self, chart: type, services: ServicesFactory | None) -> Any:
        """A machine in its initial state that has been told nothing yet.

        Raises:
            UnsupportedChartError: the user has to say how one is made.
        """
        ...

    def wrap_services(self, machine: Any, wrap: Callable[[str, Any], Any]) -> None:
        """Put in place of each service what ``wrap`` makes of its role and itself."""
        ...

    def live_orders(self, machine: Any) -> frozenset[str]:
        """Orders that are, or may be, at the venue."""
        ...

    def books(self, machine: Any, live: frozenset[str]) -> Mapping[str, object]:
        """What a failure may not change, by name; ``live``: the orders that were live before it."""
        ...

    def judge_books(self, machine: Any, live: frozenset[str], results: Iterable[StepResult]) -> None:
        """What must hold of the books after a failure.

        Raises:
            BrokenPromiseError: something does not.
        """
        ...

    def digest(self, machine: Any) -> object:
        """What nothing but an accepted fact may change."""
        ...


class BareSubject:
    """Machines without books: nothing is known of them but their chart."""

    situation = Situation()
    invariants: tuple[Invariant, ...] = ()
    invariants_of_own_guards: tuple[Invariant, ...] = ()
    service_methods: tuple[str, ...] = ()

    def make(self, chart: type, services: ServicesFactory | None) -> Any:
        """Nobody knows how.

        Raises:
            UnsupportedChartError: always.
        """
        raise UnsupportedChartError(
            reference_of(chart), "it is not known how one is made.", "Give make, which takes no arguments."
        )

    def wrap_services(self, machine: Any, wrap: Callable[[str, Any], Any]) -> None:
        """It has none."""

    def live_orders(self, machine: Any) -> frozenset[str]:
        """It has none."""
        return frozenset()

    def books(self, machine: Any, live: frozenset[str]) -> Mapping[str, object]:
        """It has none."""
        return {}

    def judge_books(self, machine: Any, live: frozenset[str], results: Iterable[StepResult]) -> None:
        """Nothing is promised."""

    def digest(self, machine: Any) -> object:
        """Nothing but its chart."""
        return None
