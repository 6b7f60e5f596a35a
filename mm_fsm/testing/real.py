"""The real driver: a real machine takes a path because something outside it makes each guard true or false.

What makes a guard true or false is a *way*, given by whoever knows the machine. A path that cannot be taken so is
reported with what was tried and with what happened instead: either a way is missing, or no machine can go there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Generic, Protocol, TypeVar

from attrs import field, frozen

from mm_fsm.chart import ChartDefinition, EdgeDefinition
from mm_fsm.machine.results import TransitionRecord
from mm_fsm.testing.answers import answers_that_take
from mm_fsm.testing.paths import Path, ways_to
from mm_fsm.testing.problems import PathNotTakenError

ROUNDS: Final = 3
"""How often the ways are gone through: making one guard true may have made another false."""


class Host(Protocol):
    """A real machine and what is around it."""

    @property
    def state(self) -> str:
        """The state the machine is in."""
        ...

    @property
    def taken(self) -> Sequence[TransitionRecord]:
        """Every transition so far."""
        ...

    def answer_of(self, guard: str) -> bool | None:
        """What a guard would answer now; None when that cannot be told, and its way is always gone."""
        ...

    def arrange(self, edge: EdgeDefinition) -> None:
        """Do what can be done before ``edge.source`` is entered, so that a command is sent while it lasts."""
        ...

    def fire(self, edge: EdgeDefinition) -> None:
        """Send a command or an event, or give the machine an occasion to fire one by itself."""
        ...


H = TypeVar("H", bound=Host)


@frozen
class Way(Generic[H]):
    """Makes one guard answer what is wanted: ``make(host, wanted, state)``.

    ``state`` is where the answer will be asked for. ``ahead`` is for how many edges ahead the way can be gone: 0 when
    the machine must be in that state already.
    """

    make: Callable[[H, bool, str], None]
    ahead: int = 0


@frozen
class Attempt(Generic[H]):
    """One machine that was sent along one path, and why it did not take it."""

    host: H
    error: PathNotTakenError | None = None


def _first_success(attempts: Iterable[Attempt[H]]) -> H:
    """The first machine that took its path.

    Raises:
        PathNotTakenError: none did; that of the machine that had the fewest edges left.
    """
    furthest: PathNotTakenError | None = None
    for attempt in attempts:
        error = attempt.error
        if error is None:
            return attempt.host
        if furthest is None or error.taken - len(error.path) > furthest.taken - len(furthest.path):
            furthest = error
    assert furthest is not None  # noqa: S101 - a driver makes at least one kind of machine
    raise furthest


@frozen
class RealDriver(Generic[H]):
    """Takes paths on real machines.

    Args:
        definition: the chart, as it is expected to be.
        makes: each makes a fresh host; they differ in what settings decide, and are tried in turn.
        ways: how to make each guard answer True or False, by the guard's name.
        pasts: paths back to the initial state, for what only a machine can do that has lived.
    """

    definition: ChartDefinition
    makes: tuple[Callable[[], H], ...]
    ways: Mapping[str, Way[H]] = field(factory=dict)
    pasts: tuple[Path, ...] = ()

    def drive(self, path: Sequence[EdgeDefinition]) -> H:
        """Take a path on a fresh machine, and return its host.

        Raises:
            PathNotTakenError: no machine took it; the error is that of the machine that came furthest.
        """
        return _first_success(self._try(path))

    def reach(self, edges: Sequence[EdgeDefinition], state: str | None = None, *, tries: int | None = None) -> H:
        """Take ``edges``, one right after another, behind whichever path leads to the first of them.

        Args:
            edges: what is to be taken; may be empty where only ``state`` is to be reached.
            state: where the edges begin; by default the first one's source.
            tries: how many machines to try; by default all.

        Raises:
            PathNotTakenError: no path led there and on; the error is that of the one that came furthest.
        """
        return _first_success(islice(self.attempts(edges, state), tries))

    def attempts(
        self, edges: Sequence[EdgeDefinition], state: str | None = None, prepare: Callable[[H], None] | None = None
    ) -> Iterator[Attempt[H]]:
        """Try to take ``edges`` behind one path after another, each on every kind of fresh machine.

        Args:
            edges: what is to be taken; may be empty where only ``state`` is to be reached.
            state: where the edges begin; by default the first one's source.
            prepare: what to do with each fresh host.

        Raises:
            PathNotTakenError: an edge can be taken by no machine, because its source is left at once.
        """
        for place, edge in enumerate(edges):
            if not self.can_follow(edge):
                raise PathNotTakenError(edges, place, f"{edge.source} is left at once, whatever the guards answer")
        for prefix in self._prefixes(edges[0].source if state is None else state):
            yield from self._try((*prefix, *edges), prepare)

    def _try(self, path: Sequence[EdgeDefinition], prepare: Callable[[H], None] | None = None) -> Iterator[Attempt[H]]:
        for make in self.makes:
            host = make()
            if prepare is not None:
                prepare(host)
            try:
                self.go_on(host, path)
            except PathNotTakenError as error:
                yield Attempt(host, error)
            else:
                yield Attempt(host)

    def _prefixes(self, state: str) -> Iterator[Path]:
        """The shortest way over each edge that leads to a state, commands last; each also for a machine with a past."""
        ways = ways_to(self.definition, state)
        for way in sorted(ways, key=lambda way: (sum(edge.command for edge in way), len(way))):
            yield way
            yield from ((*past, *way) for past in self.pasts)

    def can_follow(self, edge: EdgeDefinition) -> bool:
        """Whether there are answers with which the edge is taken; for a command, with which the machine waits for it."""
        return next(answers_that_take(self.definition, edge, at_rest=self._needs_rest(edge)), None) is not None

    def _needs_rest(self, edge: EdgeDefinition) -> bool:
        """A fault is no matter of rest: something raises while the machine is in the state."""
        return edge.event != self.definition.fault_event

    def go_on(self, host: H, path: Sequence[EdgeDefinition]) -> None:
        """Take a path from where a machine is.

        Raises:
            PathNotTakenError: it went another way, or stayed.
        """
        place = 0
        while place < len(path):
            before = len(host.taken)
            problem = self._bring_about(host, path, place)
            new = list(host.taken[before:])
            if not new:
                raise PathNotTakenError(path, place, f"{problem or 'nothing happened'} in {host.state}")
            for record, edge in zip(new, path[place:], strict=False):
                if (record.source, record.event, record.target) != (edge.source, edge.event, edge.target):
                    instead = f"{record.source} --{record.event}--> {record.target}"
                    raise PathNotTakenError(path, place, f"{instead} was taken instead")
                place += 1

    def _bring_about(self, host: H, path: Sequence[EdgeDefinition], place: int) -> str:
        """Let the next edge be taken; why it was not tried, or nothing."""
        before = len(host.taken)
        edge = path[place]
        self._arrange_ahead(host, path, place)
        for _ in range(ROUNDS):
            wanted = self._wanted(host, edge)
            if wanted is None:
                return f"whatever the guards answer, {edge.id} is not taken"
            for name, answer in wanted.items():
                if host.answer_of(name) is answer:
                    continue
                if name not in self.ways:
                    return f"no way was given to make {name} {answer}"
                self.ways[name].make(host, answer, edge.source)
                if len(host.taken) > before:
                    return ""
            if all(host.answer_of(name) in (answer, None) for name, answer in wanted.items()):
                break
        host.fire(edge)
        missed = [f"{name} {answer}" for name, answer in wanted.items() if host.answer_of(name) is (not answer)]
        return f"{edge.event} was not taken; could not be made: {', '.join(missed) or 'nothing'}"

    def _arrange_ahead(self, host: H, path: Sequence[EdgeDefinition], place: int) -> None:
        """Go the ways of coming edges that can be gone already, as far as no state comes twice."""
        states = {path[place].source}
        for distance, edge in enumerate(path[place + 1 :], start=1):
            if edge.source in states:
                return
            states.add(edge.source)
            host.arrange(edge)
            before = len(host.taken)
            wanted = self._wanted(host, edge, behind=path[place])
            for name, answer in (wanted or {}).items():
                way = self.ways.get(name)
                if way is not None and distance <= way.ahead:
                    way.make(host, answer, edge.source)
                if len(host.taken) > before:
                    return

    def _wanted(self, host: H, edge: EdgeDefinition, behind: EdgeDefinition | None = None) -> dict[str, bool] | None:
        """Answers with which an edge is taken, near to those that guards give now or that the edge before it needs."""
        now: dict[str, Any] = {name: host.answer_of(name) for name in self.definition.guard_names}
        if behind is not None:
            now |= {guard.name: guard.expected for guard in behind.guards}
        prefer = {name: answer for name, answer in now.items() if answer is not None}
        return next(answers_that_take(self.definition, edge, prefer, at_rest=self._needs_rest(edge)), None)
