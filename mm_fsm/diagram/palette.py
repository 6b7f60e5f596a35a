"""Colours and type of the pictures: dark on white, one hue for each role."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from attrs import frozen

from mm_fsm.diagram.arrows import Role

FONT: Final = "Helvetica,Arial,sans-serif"
TITLE_SIZE: Final = 20
NAME_SIZE: Final = 13
TEXT_SIZE: Final = 10
"""Points."""

INK: Final = "#1f2937"
MUTED: Final = "#64748b"


@frozen
class BoxColors:
    """Fill and border of a state's box."""

    fill: str
    border: str


NORMAL_BOX: Final = BoxColors("#f4f7fb", "#7b8ca3")
FAULT_BOX: Final = BoxColors("#fdeceb", "#c4392c")
FINAL_BOX: Final = BoxColors("#e9f6ec", "#2e7d4f")
ACTIVE_BOX: Final = BoxColors("#ffe9a8", "#b7791f")
ANY_BOX: Final = BoxColors("#ffffff", "#94a3b8")

ARROW_COLORS: Final = MappingProxyType({Role.NORMAL: "#334155", Role.COMMAND: "#6d28d9", Role.FAULT: "#b42318"})
