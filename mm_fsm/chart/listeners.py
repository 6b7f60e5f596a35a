"""Process-wide chart listeners; empty unless coverage records."""

from __future__ import annotations

from typing import Final, Protocol


class ChartWatcher(Protocol):
    """Told of every machine and of every event that is looked up in a chart's table. It decides nothing."""

    def machine_was_made(self, machine: object) -> None:
        """A machine has been made; it has not taken its first step."""
        ...

    def event_was_looked_up(self, chart: type, subject: str, state: str, event: str) -> None:
        """A chart that is compiled to a table was asked what ``event`` does in ``state``, and is about to answer.

        Args:
            chart: the chart's class.
            subject: what the table was asked about, such as an order's identifier.
            state: where the subject stands.
            event: what happened to it; not every state accepts it.
        """
        ...


WATCHERS: Final[list[ChartWatcher]] = []
"""Empty unless something measures this process."""
