"""Traps on one machine's guards and callbacks: each does what it always does, until it is told to raise once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from mm_fsm.chart import definition_of
from mm_fsm.core.decisions import Fault

if TYPE_CHECKING:
    from mm_fsm.machine.strategy import StrategyMachine

M = TypeVar("M", bound="StrategyMachine")


class SprungError(RuntimeError):
    """What a guard or a callback raises that was told to."""


@frozen(kw_only=True)
class Trap:
    """Where to raise: in which guard or callback, in which state, on the way along which event; None for any."""

    name: str | None = None
    state: str | None = None
    event: str | None = None
    between_transitions: bool = False
    """Whether only what is asked between transitions raises: guards."""
    after_its_work: bool = False
    """Whether the callback does all that it does before it raises."""
    times: int | None = 1
    """How often; None for every time."""


class Traps:
    """Stands before every guard and callback of a machine."""

    def __init__(self) -> None:
        self.sprung: list[str] = []
        """Names of what has raised, in order."""
        self.event: str | None = None
        """The event that the engine has been sent; None between transitions."""
        self._left: dict[Trap, int | None] = {}
        """How often each trap will still be sprung; None for ever."""
        self._machine: Any = None

    def set(self, trap: Trap) -> None:
        """Raise there, too, from now on."""
        self._left[trap] = trap.times

    def clear(self) -> None:
        """Take every trap away."""
        self._left.clear()

    def build(self, machine: type[M], *arguments: Any, **keywords: Any) -> M:
        """Make a machine whose guards and callbacks stand behind the traps. Its class is not touched."""
        made = self._machine = machine.__new__(machine)
        definition = definition_of(machine)
        for name in (*definition.guard_names, *definition.callback_names):
            vars(made)[name] = self._before(name, getattr(machine, name))
        made.__init__(*arguments, **keywords)  # type: ignore[misc]
        return made

    def _before(self, name: str, method: Callable[[Any], Any]) -> Callable[[], Any]:
        def call() -> Any:
            trap = next((trap for trap in self._left if self._is_sprung(trap, name)), None) if self._left else None
            if trap is None:
                return method(self._machine)
            self._count_down(trap)
            self.sprung.append(name)
            if trap.after_its_work:
                method(self._machine)
            raise SprungError(f"{name} was told to raise")

        call.__name__ = name
        return call

    def _count_down(self, trap: Trap) -> None:
        left = self._left[trap]
        if left == 1:
            del self._left[trap]
        elif left is not None:
            self._left[trap] = left - 1

    def _is_sprung(self, trap: Trap, name: str) -> bool:
        return (
            trap.name in (None, name)
            and trap.state in (None, self._machine.chart_state)
            and trap.event in (None, self.event)
            and not (trap.between_transitions and self.event is not None)
        )


def is_sprung(fault: Fault) -> bool:
    """Whether a fault comes from a trap."""
    return SprungError.__name__ in fault.reason
