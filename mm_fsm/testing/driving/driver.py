"""How a test gets an instance of any chart, takes one chosen edge, and sees where it is.

Two drivers. *Forced*: the structure; every guard answers what the test wants. *Real*: the user says how each guard is
made true or false, and what cannot be reached is reported as infeasible. Both check that exactly the chosen edges were
taken. ``engines`` drives python-statemachine's charts and ours by their engine, ``machines`` our machines by their
steps, ``tables`` charts that are compiled to a table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from mm_fsm.coverage.model import ChartModel
from mm_fsm.testing.driving.answers import answers_for, answers_for_rest, moves_by_itself
from mm_fsm.testing.problems import InfeasibleError, StrayedError

Condition = tuple[Callable[[Any], object], Callable[[Any], object]]
"""How a guard is made true, and false, on the machine that has it."""


Then = Callable[["Driven"], object]
"""What to do with a machine at the end of its path."""


class Driver(ABC):
    """Makes new machines of one chart.

    Args:
        model: the chart; edges are known by their place in its definition.
    """

    refusals: tuple[type[Exception], ...] = ()
    """What may be raised when an event is sent where it is not accepted."""

    def __init__(self, model: ChartModel) -> None:
        self.model = model

    @abstractmethod
    def start(self, *places: int, then: Then | None = None) -> Driven:
        """A new machine, which has taken these edges from its initial state on.

        Args:
            places: the edges.
            then: what to do at their end, as in ``Driven.take``.

        Raises:
            StrayedError: the machine took others, or none; InfeasibleError where its guards are real.
        """

    def rests_in(self, active: Collection[str]) -> bool:
        """Whether a machine in these states stays there until something is sent, if its guards say so."""
        return True

    def can_send_in(self, active: Collection[str]) -> bool:
        """Whether there is a moment to send something to a machine in these states."""
        return self.rests_in(active)

    def can_take(self, place: int) -> bool:
        """Whether there is a moment for an edge: nothing can be sent where the machine moves on by itself."""
        return moves_by_itself(self.model, place) or self.rests_in([self.model.definition.edges[place].source])

    def snapshot(self, driven: Driven) -> Mapping[str, object]:
        """What of a machine an event may not change where it is not accepted, by name, as values to compare."""
        return {"callbacks run": tuple(driven.calls)}


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
        driver: what made it.
        steering: what its guards answer.
    """

    def __init__(self, driver: Driver, steering: Steering) -> None:
        self.driver = driver
        self.model = driver.model
        self.taken: list[int] = []
        """Every edge that the machine took, by its place."""
        self.steering = steering
        self.calls: list[str] = []
        """Callbacks that ran, by name, where the driver stands in for them."""
        self._wanted: list[int] = []
        self._then: Then | None = None
        self._goes_on = False
        """Whether the run is at its end, where the machine does not rest."""

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

    def take(self, *places: int, then: Then | None = None) -> None:
        """Take exactly these edges, in this order.

        Where the machine does not rest at their end, it moves on by itself, and ``taken`` has what it took then.

        Args:
            places: the edges.
            then: what to do with this machine when they have been taken, before it moves on by itself.

        Raises:
            StrayedError: the machine took others, or none; InfeasibleError where its guards are real.
        """
        runs = list(self.runs_of(places))
        for run in runs[:-1]:
            self._take_run(run)
        self._then = then
        for run in runs[-1:]:
            self._take_run(run)
        self.do_then()

    def do_then(self) -> None:
        """Do what is to be done at the end of a path, once."""
        if self._then is not None:
            then, self._then = self._then, None
            then(self)

    def noticed(self, place: int) -> None:
        """The machine has taken an edge; its guards answer for what is next."""
        self.taken.append(place)
        if self._wanted[:1] == [place]:
            self._wanted = self._wanted[1:]
            self._goes_on = not self._wanted and not self.driver.rests_in(self.active)
        else:
            self._wanted = []
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
        self._wanted, self._goes_on = list(run), False
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
        goes_on = self._goes_on and went[: len(run)] == list(run)
        if (went != list(run) and not goes_on) or failure is not None:
            del self.taken[start:]
            raise self.strayed(run, self._found(went, failure)) from failure

    def _found(self, went: Sequence[int], failure: Exception | None) -> str:
        keys = [self.model.edge_keys[place] for place in went]
        taken = f"that it took {', then '.join(keys)}" if keys else "that it took nothing"
        raised = f" and raised {type(failure).__name__}: {failure}" if failure is not None else ""
        return f"{taken}{raised}; active: {', '.join(sorted(self.active))}"
