"""What a user asked for on the command line, and how what refuses it is told: by the option's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mm_fsm.errors import OptionError, PortError, SettingsError
from mm_fsm.runtime.settings_file import MarketConfiguration


@contextmanager
def port_asked_for(option: str) -> Iterator[None]:
    """Name the option whose port is refused.

    Raises:
        OptionError: in place of a ``PortError``.
    """
    try:
        yield
    except PortError as error:
        raise OptionError(option, error.expected, f"{error.port}: {error.problem}", error.remedy) from None


def refuse_unasked_live(configurations: Iterable[MarketConfiguration], *, asked: bool) -> None:
    """Refuse real orders unless both the settings and whoever starts the program ask for them, and the reverse.

    Raises:
        SettingsError: a venue is live and one of the two has not said so, or ``asked`` and none is.
    """
    configurations = tuple(configurations)
    live = [each for each in configurations if each.venue.is_live]
    for each in live:
        if not each.allows_live:
            remedy = "Write live = true below [venue] for real orders, or name a kind that sends none."
            raise SettingsError("venue.live", f"true for a venue of kind {each.venue_kind!r}", False, remedy)  # noqa: FBT003
        if not asked:
            remedy = "give --live to let them leave"
            words = f"{each.symbol} would be made with real orders: {remedy}"
            raise OptionError("--live", "given", None, remedy, words=words)
    if asked and not live:
        kinds = ", ".join(sorted({each.venue_kind for each in configurations}))
        raise OptionError("--live", "settings of a live venue", kinds, "Leave --live out: no real order would leave.")
