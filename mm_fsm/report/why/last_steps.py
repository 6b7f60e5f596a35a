"""Why a running machine's sides are as they are, asked of the machine itself: it needs no journal.

``LastSteps`` follows the machine. Now and then it writes down what the machine remembers, and keeps the facts since, so
that a copy can be put back to before any of these steps. ``captured`` takes what there is at once, and cheaply; the
search takes seconds of processor time and is made from that alone, in another thread or process: never between two
steps of a machine that trades.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import frozen

from mm_fsm.core.messages import SIDES, Fact, Side
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.report.stretches import Stretch, StretchKind, StretchRecorder
from mm_fsm.report.why.accounts import Account
from mm_fsm.report.why.answers import Answer, Answerer
from mm_fsm.report.why.rewinding import RewoundMachine
from mm_fsm.runtime.journal.snapshots import write_snapshot
from mm_fsm.services.protocols import Services

STEPS_TOGETHER: Final = 2_000
"""Steps between two looks at everything that the machine remembers: it takes as long as some
hundred steps do, for it holds the last two thousand orders that have ended."""
_STRETCHES_KEPT: Final = 64
"""Of each side: enough to know with which of them a silence began."""


@frozen
class _Window:
    """A machine as it stood, and the facts of the steps that it made from there."""

    first_step: int
    snapshot: bytes
    facts: list[Fact]

    @property
    def next_step(self) -> int:
        return self.first_step + len(self.facts)


@frozen(kw_only=True)
class CapturedSteps:
    """All that an answer is made from. Nothing in it is shared with the machine, and it can be sent to a process."""

    machine_class: type[QuotingMachine]
    services: Services | None
    account: Account
    windows: tuple[_Window, ...]

    def rewind(self, step: int) -> RewoundMachine:
        """The machine before a step.

        Raises:
            LookupError: the step is no longer kept.
        """
        for window in self.windows:
            if window.first_step <= step < window.next_step:
                return self._replayed(window, step)
        raise LookupError(f"expected a step that is kept, found {step}")

    def keeps(self, step: int) -> bool:
        """Whether the machine can be put back to before a step."""
        return any(window.first_step <= step < window.next_step for window in self.windows)

    def _replayed(self, window: _Window, step: int) -> RewoundMachine:
        ahead = window.facts[: step - window.first_step]
        start = RewoundMachine(self.machine_class, window.snapshot, window.facts[len(ahead)], self.services)
        machine = start.copy()
        for fact in ahead:
            machine.step(fact)
        return RewoundMachine.of(machine, start.fact, self.services)


class LastSteps:
    """Follows one running machine; take every step's result, in order.

    Args:
        machine: stands before its first step, or wherever it goes on.
        services: where its services are not those that its settings name.
        steps_together: see ``STEPS_TOGETHER``.
    """

    def __init__(
        self, machine: QuotingMachine, services: Services | None = None, *, steps_together: int = STEPS_TOGETHER
    ) -> None:
        self._machine = machine
        self._services = services
        self._together = steps_together
        self._ended: dict[Side, list[Stretch]] = {side: [] for side in SIDES}
        self._recorder = StretchRecorder(self._keep)
        self._windows: list[_Window] = []
        self._begin_window()

    def take(self, result: StepResult) -> None:
        """One step has been made."""
        window = self._windows[-1]
        if result.sequence != window.next_step:  # another machine goes on where this one stood
            self._windows.clear()
            self._begin_window()
            self._recorder.take(result, self._machine)
            return
        window.facts.append(result.fact)
        self._recorder.take(result, self._machine)
        if len(window.facts) >= self._together and not result.intents:  # what leaves does not wait for it
            self._begin_window()
            self._forget()

    def captured(self) -> CapturedSteps:
        """All that an answer needs, as of now."""
        recorder = self._recorder
        current = [recorder.current(side) for side in SIDES]
        stretches = [*(each for side in SIDES for each in self._ended[side]), *filter(None, current)]
        account = Account(
            symbol=self._machine.context.settings.symbol,
            began_at=self._machine.began_at or 0,
            begin=min((each.begin for each in stretches), default=0),
            end=recorder.now,
            stretches=tuple(sorted(stretches, key=lambda each: each.end)),
        )
        windows = tuple(_Window(each.first_step, each.snapshot, list(each.facts)) for each in self._windows)
        return CapturedSteps(
            machine_class=type(self._machine), services=self._services, account=account, windows=windows
        )

    # -- inside -----------------------------------------------------------------------------------------------------

    def _keep(self, stretch: Stretch) -> None:
        own = self._ended[stretch.side]
        own.append(stretch)
        del own[:-_STRETCHES_KEPT]

    def _begin_window(self) -> None:
        machine = self._machine
        snapshot = write_snapshot(machine.remembered_values(), type(machine).snapshot_classes)
        self._windows.append(_Window(machine.sequence + 1, snapshot, []))

    def _forget(self) -> None:
        """Keep the last two windows, and those in which a silence that lasts began, up to that step."""
        wanted = [step for side in SIDES for step in self._steps_wanted(side)]
        for window in self._windows[:-2]:
            inside = [step for step in wanted if window.first_step <= step < window.next_step]
            if not inside:
                self._windows.remove(window)
            else:
                del window.facts[max(inside) - window.first_step + 1 :]

    def _steps_wanted(self, side: Side) -> list[int]:
        """The first step of the stretch that lasts, and that of the silence that it goes on with."""
        current = self._recorder.current(side)
        wanted = [] if current is None or current.kind is StretchKind.LIVE else [current]
        for earlier in reversed(self._ended[side] if wanted else []):
            if earlier.kind is StretchKind.LIVE:
                break
            wanted[1:] = [earlier]
        return [each.began.step for each in wanted if each.began is not None]


def explain_last_step(captured: CapturedSteps, on_progress: Callable[[float], None] = lambda _: None) -> list[Answer]:
    """Why each side is as the last step left it, and what would have had to differ when that began.

    It works on copies, and takes seconds of processor time. Where the first step of a stretch is no longer kept,
    nothing is said of what would have had to differ.
    """
    answerer = Answerer(captured.account, captured.rewind, on_progress, can_rewind=captured.keeps)
    return answerer.answers_at(captured.account.end)
