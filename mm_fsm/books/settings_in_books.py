"""Other settings for books that are filled already: what was estimated and counted stays, the rules for it change.

Parts of the books keep what they need of the settings: a number of samples, the durations of requests, the venue's
rules. Which fields these are is found, not listed: they are where books that are made with the one settings differ from
books that are made with the other. A field that has changed since the books were made is state, and stays.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve, fields, has

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.settings import MarketMakingSettings

STAYS: Final = ("symbol", "strategy_id", "target_base", "session_seconds")
"""Settings that a run has from its beginning: what it is called, what profit is measured against, when it ends."""


def apply_settings(context: MarketMakingContext, settings: MarketMakingSettings) -> None:
    """Let the books go by these settings from now on, but for those that a run has from its beginning.

    The books take ``settings`` itself where it says the same of those, so that whoever made it can watch what is read.

    Raises:
        SettingsError: they contradict a setting that stays.
    """
    before = context.settings
    kept = {name: getattr(before, name) for name in STAYS}
    if any(getattr(settings, name) != value for name, value in kept.items()):
        settings = evolve(settings, **kept)
    made_with, made_anew = (_fresh(context, each) for each in (before, settings))
    _copy_differences(made_with, made_anew, context)


def _fresh(context: MarketMakingContext, settings: MarketMakingSettings) -> MarketMakingContext:
    """Books of the same market, as they begin."""
    return MarketMakingContext(
        settings=settings, instrument=context.instrument, fees=context.fees, balances=context.balances
    )


def _copy_differences(before: Any, after: Any, kept: Any) -> None:
    for attribute in fields(type(kept)):
        if attribute.metadata.get("is_derived"):
            continue
        old, new, found = (getattr(each, attribute.name) for each in (before, after, kept))
        if isinstance(found, MarketMakingSettings) or (old != new and found == old):
            setattr(kept, attribute.name, new)
        elif type(old) is type(new) is type(found) and _changes_in_place(found):
            _copy_differences(old, new, found)


def _changes_in_place(value: object) -> bool:
    """Whether it is a part of the books with fields of its own, and no value that is replaced as a whole."""
    return has(type(value)) and type(value).__hash__ in {None, object.__hash__}
