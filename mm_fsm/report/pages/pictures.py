"""Pictures of charts inside pages."""

from __future__ import annotations

import re

_NEEDLESS = re.compile(
    r"<!--.*?-->\n?"  # what was drawn from what
    r"|<text[^>]*>[\s\u00a0]*</text>\n?"  # space between words
    r'| xml:space="preserve"| text-anchor="start"'
    r'| font-family="Helvetica,Arial,sans-serif"',  # the page's styles say it
    re.DOTALL,
)


_POSITIONS = re.compile(r' (?:d|points|x|y)="[^"]*"')
_BEYOND_A_TENTH = re.compile(r"(\.\d)\d+")


def embedded_picture(svg: str, name: str) -> str:
    """An SVG that can stand in a page beside others: no prologue, and identifiers that begin with ``name``.

    Positions keep a tenth of a point, less than can be seen; texts stay as they are.

    An empty text stays empty: nothing could be drawn.
    """
    picture = _NEEDLESS.sub("", svg[svg.index("<svg") :]) if svg else ""
    picture = _POSITIONS.sub(lambda found: _BEYOND_A_TENTH.sub(r"\1", found[0]), picture)
    return re.sub(r'\bid="', f'id="{name}-', picture)
