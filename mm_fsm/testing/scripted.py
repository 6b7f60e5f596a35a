"""Services that answer as they are told where they are told, and otherwise as the services they stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from mm_fsm.core.context import MarketMakingContext
from mm_fsm.services.protocols import Services

Reply = Callable[[Any], object]
"""Given the answer of the service behind, the answer to give; it may raise."""

ANYWHERE: Final = ""
"""Stands for every state."""


class _Line(NamedTuple):
    state: str
    reply: Reply
    times: int | None


class ServiceScript:
    """Puts a script in front of the services of one machine, and counts what they are asked.

    A line holds for one method in one state of the chart, as many times as it is asked or until it is taken out. The
    state is the one that the machine has told its context: while a transition runs, that is still its source.
    """

    def __init__(self, services: Services) -> None:
        self.calls: Counter[str] = Counter()
        """How often each method was asked, as ``role.method``."""
        self._lines: dict[tuple[str, str], _Line] = {}
        self.services = Services(
            spreads=_Scripted(self, "spreads", services.spreads),
            orders=_Scripted(self, "orders", services.orders),
            inventory=_Scripted(self, "inventory", services.inventory),
            risk=_Scripted(self, "risk", services.risk),
        )

    def answer(self, call: str, reply: Reply, *, state: str = ANYWHERE, times: int | None = None) -> None:
        """Answer ``call``, such as ``risk.halt_cause``, with what ``reply`` makes of the true answer."""
        self._lines[call, state] = _Line(state, reply, times)

    def fail(self, call: str, *, state: str = ANYWHERE, times: int | None = 1) -> None:
        """Let ``call`` raise."""

        def reply(_answer: object) -> object:
            raise ScriptedError(f"{call} was told to fail")

        self.answer(call, reply, state=state, times=times)

    def forget(self, call: str, *, state: str = ANYWHERE) -> None:
        """Take a line out again."""
        self._lines.pop((call, state), None)

    def ask(
        self, call: str, context: MarketMakingContext, method: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> Any:
        """What the machine hears when it asks."""
        self.calls[call] += 1
        line = self._lines.get((call, context.current_state)) or self._lines.get((call, ANYWHERE))
        if line is None:
            return method(context, *arguments)
        if line.times is not None:
            self._lines[call, line.state] = line._replace(times=line.times - 1)
            if line.times <= 1:
                self.forget(call, state=line.state)
        return line.reply(method(context, *arguments))


class ScriptedError(RuntimeError):
    """What a service raises that was told to fail."""


class _Scripted:
    """One service behind its script. Attributes that are not methods are the service's own."""

    def __init__(self, script: ServiceScript, role: str, service: object) -> None:
        self._script = script
        self._role = role
        self._service = service

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._service, name)
        if not callable(found):
            return found

        def ask(context: MarketMakingContext, *arguments: Any) -> Any:
            return self._script.ask(f"{self._role}.{name}", context, found, arguments)

        return ask
