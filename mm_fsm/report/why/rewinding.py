"""A machine put back to where it stood before one step of its past, to make that step again on a copy.

Nothing here touches the machine that lived it: what it remembered is written down and read, and every attempt steps a
copy of its own. A copy knows nothing that the machine did not know then: later facts are not in it.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Self

from attrs import define, field, fields, frozen, has

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.settings_in_books import STAYS
from mm_fsm.core.messages import Fact, OrderPurpose, PlaceOrder, Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.journal.snapshots import read_snapshot, write_snapshot
from mm_fsm.services.protocols import Services


@frozen
class Quoted:
    """What a step made of one side: a quote that leaves with it, or one that rests and stays."""

    stages: PlaceOrder | None
    """The innermost quote of the side that the step stages; None where it stages none."""
    keeps: bool
    """Whether a quote of the side rests in the book and stays there."""

    @property
    def is_quoted(self) -> bool:
        """Whether the side is quoted by it."""
        return self.keeps or self.stages is not None


@define
class RewoundMachine:
    """A machine as it stood before one step, and the fact of that step. Every attempt begins there anew.

    Args:
        machine_class: of the machine.
        snapshot: what it remembered then, as ``write_snapshot`` writes it.
        fact: what happened next.
        services: its services; by default those that its settings name.
    """

    machine_class: type[QuotingMachine]
    snapshot: bytes
    fact: Fact
    services: Services | None = None
    settings: MarketMakingSettings = field(init=False)
    """As they were."""
    now: int = field(init=False)
    """The machine's time before the step, nanoseconds."""
    _packed: _Packed = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        values = read_snapshot(self.snapshot, self.machine_class.snapshot_classes)
        context: MarketMakingContext = values["context"]
        self.settings, self.now = context.settings, context.now
        self._packed = _Packed(values)

    @classmethod
    def of(cls, machine: QuotingMachine, fact: Fact, services: Services | None = None) -> Self:
        """The machine as it stands now; it is not touched."""
        snapshot = write_snapshot(machine.remembered_values(), type(machine).snapshot_classes)
        return cls(type(machine), snapshot, fact, services)

    def attempt(self, settings: MarketMakingSettings | None = None) -> tuple[StepResult, QuotingMachine]:
        """Make the step on a copy, with other settings if there are any.

        Raises:
            SettingsError: the settings contradict the market.
        """
        machine = self.copy(settings)
        return machine.step(self.fact), machine

    def copy(self, settings: MarketMakingSettings | None = None) -> QuotingMachine:
        """A machine of its own that stands where this one stood, before the step."""
        return self.machine_class.restored(self._packed.copy(), self.services, settings)

    def quotes(self, side: Side, settings: MarketMakingSettings | None = None) -> Quoted:
        """What the step makes of a side.

        Raises:
            SettingsError: the settings contradict the market.
        """
        return quoted_by(*self.attempt(settings), side)

    def settings_read(self) -> frozenset[str]:
        """The settings that books and step look at: no other one could have changed what the step did.

        Up to the first look at a setting that is changed, a step does what it did; so a setting that it never looks at
        changes nothing.
        """
        watched = watch(self.settings)
        self.attempt(watched)
        return frozenset(read_of(watched)) - set(STAYS)


def quoted_by(result: StepResult, machine: QuotingMachine, side: Side) -> Quoted:
    """What a step made of a side."""
    staged = [
        intent
        for intent in result.intents
        if isinstance(intent, PlaceOrder) and intent.side is side and intent.purpose is OrderPurpose.QUOTE
    ]
    innermost = min(staged, key=_level, default=None)
    return Quoted(innermost, machine.context.sides[side].status is None)


def _level(intent: PlaceOrder) -> tuple[int, Decimal]:
    return intent.level, -intent.price * intent.side.sign


# -- settings that say what is read of them ----------------------------------------------------------------------------

_NAMES = frozenset(each.name for each in fields(MarketMakingSettings))


class _WatchedSettings(MarketMakingSettings):
    """The same settings, which note every name that is read of them."""

    def __getattribute__(self, name: str) -> Any:
        if name in _NAMES:
            object.__getattribute__(self, "__dict__").get("read", set()).add(name)
        return super().__getattribute__(name)


def watch(settings: MarketMakingSettings) -> MarketMakingSettings:
    """Settings that equal these, value for value, and note what is read of them."""
    watched = object.__new__(_WatchedSettings)
    for name in _NAMES:
        object.__setattr__(watched, name, getattr(settings, name))
    object.__getattribute__(watched, "__dict__")["read"] = set()
    return watched


def read_of(watched: MarketMakingSettings) -> set[str]:
    """The names that were read of watched settings so far."""
    found: set[str] = object.__getattribute__(watched, "__dict__")["read"]
    return set(found)


# -- copies ------------------------------------------------------------------------------------------------------------


class _Packed:
    """Values that a snapshot can hold, to be copied again and again: several times as fast as a snapshot is read.

    Values that never change are shared by all copies: decimals, and value objects, which hash by what they hold.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        buffer = io.BytesIO()
        packer = _Packer(buffer, pickle.HIGHEST_PROTOCOL)
        packer.dump(values)
        self._content = buffer.getvalue()
        self._shared = packer.shared

    def copy(self) -> dict[str, Any]:
        """The values, with everything that changes copied."""
        return _Unpacker(io.BytesIO(self._content), self._shared).unpacked()


class _Packer(pickle.Pickler):
    def __init__(self, buffer: io.BytesIO, protocol: int) -> None:
        super().__init__(buffer, protocol)
        self.shared: list[Any] = []
        self._numbers: dict[int, int] = {}

    def persistent_id(self, value: Any) -> int | None:
        """The number of a value that is shared; None where it is copied."""
        kind = type(value)
        if kind is not Decimal and kind is not MappingProxyType and not _is_value_object(kind):
            return None
        number = self._numbers.setdefault(id(value), len(self.shared))
        if number == len(self.shared):
            self.shared.append(value)
        return number


class _Unpacker(pickle.Unpickler):
    def __init__(self, buffer: io.BytesIO, shared: list[Any]) -> None:
        super().__init__(buffer)
        self.persistent_load = shared.__getitem__  # type: ignore[method-assign]

    def unpacked(self) -> dict[str, Any]:
        found: dict[str, Any] = self.load()
        return found


def _is_value_object(kind: Any) -> bool:
    return has(kind) and kind.__hash__ not in {None, object.__hash__}
