"""Colours and type of the pictures: dark on white, one hue for each role."""

from __future__ import annotations

import html
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
FRAME: Final = "#7b8ca3"
"""Around states that lie within another."""


@frozen
class Box:
    """Looks of a state's box."""

    fill: str
    border: str
    width: int = 1
    """Of the border, in points."""
    dashed: bool = False

    @property
    def attributes(self) -> str:
        """The looks as attributes of an HTML-like table."""
        style = "rounded,dashed" if self.dashed else "rounded"
        colors = f'color="{html.escape(self.border)}" bgcolor="{html.escape(self.fill)}"'
        return f'border="{self.width}" cellborder="0" cellspacing="0" style="{style}" {colors}'


NORMAL_BOX: Final = Box("#f4f7fb", FRAME)
FINAL_BOX: Final = Box("#e9f6ec", "#2e7d4f")
ACTIVE_BOX: Final = Box("#ffe9a8", "#b7791f", width=3)
ANY_BOX: Final = Box("#ffffff", "#94a3b8", dashed=True)

ARROW_COLORS: Final = MappingProxyType({Role.NORMAL: "#334155", Role.COMMAND: "#6d28d9", Role.FAULT: "#b42318"})
