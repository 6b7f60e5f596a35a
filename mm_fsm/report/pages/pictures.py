"""Pictures of charts inside pages."""

from __future__ import annotations

import re


def embedded_picture(svg: str, name: str) -> str:
    """An SVG that can stand in a page beside others: no prologue, and identifiers that begin with ``name``.

    An empty text stays empty: nothing could be drawn.
    """
    picture = svg[svg.index("<svg") :] if svg else ""
    return re.sub(r'\bid="', f'id="{name}-', picture)
