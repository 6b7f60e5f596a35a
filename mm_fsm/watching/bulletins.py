"""Messages of a program that has few things to say, such as a watchdog: each is sent as it comes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from time import monotonic
from types import TracebackType
from typing import Self

from mm_fsm.runtime.watching_settings import AlertKind, AlertSettings
from mm_fsm.watching.alert_courier import Courier, TakesMessages


class Bulletins(AbstractContextManager["Bulletins"]):
    """Tells the targets of some settings; nobody where alerts are off. Leaving waits for them as the settings say.

    Args:
        settings: which kinds are told, and how long the end waits.
        targets: where messages go.
    """

    def __init__(self, settings: AlertSettings, targets: Iterable[TakesMessages]) -> None:
        self._settings = settings
        self._couriers = tuple(map(Courier, targets))

    @classmethod
    def of(cls, settings: AlertSettings) -> Self:
        """With the targets that the settings name.

        Raises:
            SettingsError: one of them is none, or cannot be read.
        """
        if not settings.is_on:
            return cls(settings, ())
        from mm_fsm.watching.alert_targets import read_targets  # noqa: PLC0415 - needed only where alerts are on

        return cls(settings, read_targets(settings))

    def tell(self, kind: AlertKind, title: str, body: str) -> None:
        """Send one message, unless nobody wants this kind. Returns at once, never raises."""
        if kind.value in self._settings.kinds:
            for courier in self._couriers:
                courier.put(title, body)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let what waits leave."""
        for courier in self._couriers:
            courier.end()
        until = monotonic() + self._settings.wait_seconds
        for courier in self._couriers:
            courier.wait(until)
