"""What a setting is to whoever sets it, and whether a change of it protects less or more."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from attrs import fields

from mm_fsm.core.setting_fields import LOOSER, ROLE, SettingRole
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.report.why.neighbours import SettingChange, is_number, option_of


class Direction(StrEnum):
    """Which way a protection is moved."""

    LOOSENED = "loosened"
    TIGHTENED = "tightened"
    """It protects more, and so holds more often, too: the step is only quoted because its judgement fell earlier."""
    CHANGED = "changed"
    """It has no looser side, or which one that is cannot be told."""


_LOOSER_OR_NOT: Final = {True: Direction.LOOSENED, False: Direction.TIGHTENED}


def role_of(settings: MarketMakingSettings, name: str) -> SettingRole:
    """The class of a setting; an option of the risk service protects, one of another service is a preference."""
    option = option_of(name)
    if option is not None:
        return SettingRole.PROTECTION if option[0] == settings.services.risk else SettingRole.PREFERENCE
    role: SettingRole = _metadata(settings, name)[ROLE]
    return role


def direction_of(settings: MarketMakingSettings, change: SettingChange) -> Direction | None:
    """Which way a change moves a protection; None for what is no protection."""
    if role_of(settings, change.name) is not SettingRole.PROTECTION:
        return None
    if change.changed is None:
        return Direction.LOOSENED
    looser = 0 if option_of(change.name) is not None else _metadata(settings, change.name)[LOOSER]
    if not looser or not is_number(change.value):
        return Direction.CHANGED
    return _LOOSER_OR_NOT[(change.changed > change.value) is (looser > 0)]


def _metadata(settings: MarketMakingSettings, name: str) -> Any:
    return getattr(fields(type(settings)), name).metadata
