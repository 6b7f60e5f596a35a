"""Lets hypothesis try the same examples in every process, and store none of those that a mutant fails."""

from __future__ import annotations

from collections.abc import Callable

_PROFILE = "mm-fsm-mutation"


def repeat_examples() -> Callable[[], None]:
    """Load a profile of hypothesis for this. The returned function restores the previous profile.

    Examples are derived from the tests themselves, kept nowhere, and not made smaller: a mutant is only asked whether
    it fails. Without hypothesis there is nothing to do.
    """
    try:
        from hypothesis import Phase, settings  # noqa: PLC0415 - it is no dependency
    except ImportError:
        return lambda: None
    before = settings.get_current_profile_name()
    settings.register_profile(
        _PROFILE,
        settings.get_profile(before),
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.target),
    )
    settings.load_profile(_PROFILE)
    return lambda: settings.load_profile(before)
