"""Which subject fits a chart: registered by the class that its machines inherit from, and loaded when it is needed.

So that generated tests know no strategy: the one that ships is registered here by name, others by ``register_subject``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from mm_fsm.testing.subjects.subject import BareSubject, Subject

_SUBJECTS: Final[dict[str, Subject | str]] = {
    "mm_fsm.machine.quoting:QuotingMachine": "mm_fsm.testing.market_maker.subject:MarketMakerSubject",
}
"""By base class, ``module:Class``: the subject, or where the class of one is."""


def register_subject(base: type, subject: Subject) -> None:
    """Test the machines that inherit from ``base`` as this subject."""
    _SUBJECTS[_reference(base)] = subject


def subject_of(chart: type) -> Subject:
    """The subject of a chart's nearest base that has one; a bare one for every other chart."""
    for base in getattr(chart, "__mro__", ()):
        found = _SUBJECTS.get(_reference(base))
        if isinstance(found, str):
            module, _, name = found.partition(":")
            found = _SUBJECTS[_reference(base)] = getattr(import_module(module), name)()
        if found is not None:
            return found
    return BareSubject()


def is_known(chart: type) -> bool:
    """Whether a subject is registered for a chart, so that it says how a machine is made."""
    return not isinstance(subject_of(chart), BareSubject)


def _reference(base: type) -> str:
    return f"{base.__module__}:{base.__qualname__}"
