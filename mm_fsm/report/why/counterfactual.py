"""Which setting, changed by how little, would have quoted a side: found by search, and shown by a real step.

The machine is put back to where it stood before the step, with the books that it had, and makes that step with one
setting changed. Nothing is said of what would have come later: the market would have answered to other orders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

from mm_fsm.core.messages import SIDES, PlaceOrder, Side
from mm_fsm.core.setting_fields import SettingRole
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.report.exact import as_json, exact_text
from mm_fsm.report.why.neighbours import (
    Ladders,
    SettingChange,
    is_searchable,
    nearest_change,
    option_names,
    value_of,
    with_value,
)
from mm_fsm.report.why.rewinding import Quoted, RewoundMachine, quoted_by
from mm_fsm.report.why.roles import Direction, direction_of, role_of


@frozen(kw_only=True)
class ProvenChange:
    """A change of one setting, and what the step makes of the side with it."""

    change: SettingChange
    quoted: Quoted
    role: SettingRole
    """Of the setting."""
    direction: Direction | None = None
    """Which way it moves a protection; None for what is none."""

    @property
    def rank(self) -> tuple[bool, bool, float, str]:
        """Its place among others: preferences, then protections, tightened ones last; small changes before large."""
        is_tightened = self.direction is Direction.TIGHTENED
        return self.direction is not None, is_tightened, self.change.share, self.change.name

    def entry(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "setting": self.change.name,
            "value": as_json(self.change.value),
            "changed": as_json(self.change.changed),
            "class": self.role.value,
            "direction": None if self.direction is None else self.direction.value,
            "keeps": self.quoted.keeps,
            "stages": _order(self.quoted.stages),
        }


@frozen(kw_only=True)
class Counterfactual:
    """What the search found for one side at one step."""

    side: Side
    recorded: Quoted
    """What the step made of the side as it happened."""
    changes: tuple[ProvenChange, ...] = ()
    """The nearest change of each setting for which there is one, the smallest first; protections come last,
    and those that are tightened after the others. No fact of the venue is among them."""
    limits_of_venue: tuple[str, ...] = ()
    """Facts of the venue that hold the side: with another value of one of them the step would have quoted it."""
    tried: tuple[str, ...] = ()
    """Every setting that the step looks at and that has other values to try."""
    not_tried: tuple[str, ...] = ()
    """Settings that it looks at too and that are lists, texts, or limits that are off."""

    def entry(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "recorded": {"keeps": self.recorded.keeps, "stages": _order(self.recorded.stages)},
            "changes": [each.entry() for each in self.changes],
            "limits_of_venue": [{"setting": name, "class": SettingRole.VENUE.value} for name in self.limits_of_venue],
            "tried": list(self.tried),
            "not_tried": list(self.not_tried),
        }


def _order(order: PlaceOrder | None) -> dict[str, str] | None:
    return None if order is None else {"price": exact_text(order.price), "quantity": exact_text(order.quantity)}


class StepSearch:
    """Searches the settings for one step; attempts are shared by both sides.

    Args:
        rewound: the machine before the step.
        on_progress: told the share that is done, 0 to 1.
    """

    def __init__(self, rewound: RewoundMachine, on_progress: Callable[[float], None] = lambda _: None) -> None:
        self.rewound: Final = rewound
        self._on_progress = on_progress
        self._settings = rewound.settings
        self._ladders: Ladders = {}
        self._known: dict[tuple[str, str], dict[Side, Quoted]] = {}
        self._recorded = self._both(None)
        self._read: frozenset[str] | None = None

    def search(self, side: Side) -> Counterfactual:
        """The nearest change of each setting with which the step quotes the side."""
        recorded = self._recorded[side]
        if recorded.is_quoted:
            return Counterfactual(side=side, recorded=recorded)
        read = self._settings_read()
        tried = sorted(name for name in read if is_searchable(self._settings, name))
        found = []
        for number, name in enumerate(tried):
            self._on_progress(number / len(tried))
            change = self._change(side, name)
            if change is not None:
                found.append(change)
        changes = [each for each in found if each.role is not SettingRole.VENUE]
        return Counterfactual(
            side=side,
            recorded=recorded,
            changes=tuple(sorted(changes, key=lambda each: each.rank)),
            limits_of_venue=tuple(each.change.name for each in found if each.role is SettingRole.VENUE),
            tried=tuple(tried),
            not_tried=tuple(sorted(read - set(tried))),
        )

    def _change(self, side: Side, name: str) -> ProvenChange | None:
        """The nearest change of one setting with which the step quotes the side."""

        def is_quoted(settings: MarketMakingSettings) -> bool:
            return self._attempt(name, settings)[side].is_quoted

        change = nearest_change(self._settings, name, is_quoted, self._ladders)
        if change is None:
            return None
        quoted = self._attempt(name, with_value(self._settings, name, change.changed))[side]
        role = role_of(self._settings, name)
        return ProvenChange(change=change, quoted=quoted, role=role, direction=direction_of(self._settings, change))

    def _settings_read(self) -> frozenset[str]:
        if self._read is None:
            self._read = self.rewound.settings_read() | frozenset(option_names(self._settings))
        return self._read

    def _attempt(self, name: str, settings: MarketMakingSettings) -> dict[Side, Quoted]:
        """What the step makes of both sides with one setting changed.

        Raises:
            SettingsError: the market refuses these settings.
        """
        key = name, repr(value_of(settings, name))
        if key not in self._known:
            try:
                self._known[key] = self._both(settings)
            except SettingsError:
                self._known[key] = {side: Quoted(stages=None, keeps=False) for side in SIDES}
        return self._known[key]

    def _both(self, settings: MarketMakingSettings | None) -> dict[Side, Quoted]:
        result, machine = self.rewound.attempt(settings)
        return {side: quoted_by(result, machine, side) for side in SIDES}
