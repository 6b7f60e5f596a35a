"""How a test gets an instance of any chart, takes one chosen edge, and sees where it is.

Two drivers. *Forced*: the structure; every guard answers what the test wants. *Real*: the user says how each guard is
made true or false, and what cannot be reached is reported as infeasible. Both check that exactly the chosen edges were
taken. ``engine_driving`` drives python-statemachine's charts and ours by their engine, ``machine_driving`` our
machines by their steps, ``table_driving`` charts that are compiled to a table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from mm_fsm.coverage.model import ChartModel
from mm_fsm.testing.answers import answers_for, answers_for_rest
from mm_fsm.testing.problems import InfeasibleError, StrayedError

Condition = tuple[Callable[[Any], object], Callable[[Any], object]]
"""How a guard is made true, and false, on the machine that has it."""


class Driver(Protocol):
    """Makes new machines of one chart."""

    @property
    def model(self) -> ChartModel:
        """The chart; edges are known by their place in its definition."""
        ...

    def start(self) -> Driven:
        """A new machine in its initial state."""
        ...


class Steering(ABC):
    """Says what guards answer: forced, or by the user's conditions."""

    error: type[StrayedError]
    """What is raised when the machine did not take the edges that it should."""

    @abstractmethod
    def steer(self, answers: Mapping[str, bool], subject: object) -> None:
        """From now on guards answer so; those that are not named may answer anything."""


class Forced(Steering):
    """Guards answer what the test wants; those that it does not name answer False."""

    error: type[StrayedError] = StrayedError

    def __init__(self) -> None:
        self.asked: Callable[[str], object] = _leave
        """Called with the name of each guard before it answers; what it raises, the guard does."""
        self._answers: Mapping[str, bool] = {}

    def steer(self, answers: Mapping[str, bool], subject: object) -> None:
        """Answer so."""
        self._answers = answers

    def guard(self, name: str) -> Callable[[], bool]:
        """What stands in place of a guard."""

        def answer() -> bool:
            self.asked(name)
            return self._answers.get(name, False)

        return answer


class Real(Steering):
    """Guards are the machine's own; ``conditions`` says, by name, how each is made true and false."""

    error: type[StrayedError] = InfeasibleError

    def __init__(self, conditions: Mapping[str, Condition]) -> None:
        self._conditions = conditions

    def steer(self, answers: Mapping[str, bool], subject: object) -> None:
        """Bring it about; guards without a condition stay as they are."""
        for name, wanted in answers.items():
            make_true, make_false = self._conditions.get(name, (_leave, _leave))
            (make_true if wanted else make_false)(subject)


def _leave(_: object) -> None:
    """Of a guard without a condition."""


class Driven(ABC):
    """One machine on its way.

    Args:
        model: its chart.
        steering: what its guards answer.
    """

    def __init__(self, model: ChartModel, steering: Steering) -> None:
        self.model = model
        self.taken: list[int] = []
        """Every edge that the machine took, by its place."""
        self.steering = steering
        self._wanted: list[int] = []
        self._at_rest: frozenset[str] = frozenset()

    @property
    @abstractmethod
    def machine(self) -> Any:
        """What runs: the user's own machine where there is one, else the engine."""

    @property
    @abstractmethod
    def active(self) -> frozenset[str]:
        """The identifiers of the active states."""

    @abstractmethod
    def send(self, event: str) -> None:
        """Send an event as it is, whether the state accepts it or not.

        Raises:
            Exception: what the machine raises, such as TransitionNotAllowed.
        """

    @abstractmethod
    def fire(self, places: Sequence[int]) -> None:
        """Make the machine move: its guards let the first of these edges pass, and each next one after it."""

    @abstractmethod
    def runs_of(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        """Split a path into what is taken in one go."""

    def take(self, *places: int) -> None:
        """Take exactly these edges, in this order.

        Raises:
            StrayedError: the machine took others, or none; InfeasibleError where its guards are real.
        """
        for run in self.runs_of(places):
            self._take_run(run)

    def noticed(self, place: int) -> None:
        """The machine has taken an edge; its guards answer for what is next."""
        self.taken.append(place)
        self._wanted = self._wanted[1:] if self._wanted[:1] == [place] else []
        self.aim()

    def aim(self) -> None:
        """Let guards answer for the next edge, or for rest where there is none.

        Raises:
            StrayedError: no answers of the guards let that edge be the next.
        """
        if self._wanted:
            answers = answers_for(self.model, self.active, self._wanted[0])
            if answers is None:
                raise self.strayed(self._wanted, "an edge that is tried before it and can never be refused")
        else:
            answers = answers_for_rest(self.model, self.active) or {}
        self.steering.steer(answers, self.machine)

    def strayed(self, wanted: Sequence[int], found: str) -> StrayedError:
        """The error that says so."""
        keys = self.model.edge_keys
        return self.steering.error(
            self.model.reference, [keys[place] for place in self.taken], [keys[place] for place in wanted], found
        )

    def _take_run(self, run: Sequence[int]) -> None:
        start = len(self.taken)
        self._wanted = list(run)
        failure: Exception | None = None
        try:
            self.aim()
            self.fire(run)
        except StrayedError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the machine raises is what was found
            failure = error
        finally:
            self._wanted = []
        went = self.taken[start:]
        if went != list(run) or failure is not None:
            del self.taken[start:]
            raise self.strayed(run, self._found(went, failure)) from failure

    def _found(self, went: Sequence[int], failure: Exception | None) -> str:
        keys = [self.model.edge_keys[place] for place in went]
        taken = f"that it took {', then '.join(keys)}" if keys else "that it took nothing"
        raised = f" and raised {type(failure).__name__}: {failure}" if failure is not None else ""
        return f"{taken}{raised}; active: {', '.join(sorted(self.active))}"
