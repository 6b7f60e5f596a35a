"""The inspector's page: one file with every step in it, or a page that loads windows of steps from its server."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from mm_fsm.chart import ChartDefinition
from mm_fsm.diagram import DiagramError, PictureFormat, picture
from mm_fsm.report.inspection.comparison import FirstDifference
from mm_fsm.report.inspection.track import Track
from mm_fsm.report.pages import embedded_picture, self_contained_page

HOME: Final = "mm_fsm.report.inspection"
MOST_BYTES: Final = 12_000_000
"""Of a page that holds every step; a longer journal is served."""


@frozen
class InspectedMarket:
    """What a page shows of one market: one track, or two side by side with their first differences."""

    tracks: tuple[Track, ...]
    differences: tuple[FirstDifference, ...] = ()
    is_one_journal: bool = True
    """Whether both tracks are one journal, so that each segment begins alike."""

    @property
    def segments_not_compared(self) -> tuple[int, ...]:
        """Numbers of segments that another version could not make a step of, such as those without market data."""
        if len(self.tracks) < 2 or not self.is_one_journal:  # noqa: PLR2004 - one beside the other
            return ()
        replayed = {window.place.segment for window in self.tracks[1].windows}
        recorded = {window.place.segment for window in self.tracks[0].windows}
        return tuple(sorted(recorded - replayed))


def inspection_page(markets: Sequence[InspectedMarket], *, title: str, is_served: bool = False) -> str:
    """The page of a run.

    Args:
        markets: each with a track that has at least one step.
        title: of the page.
        is_served: leave the steps out: the page asks the server it came from for ``windows/MARKET/TRACK/WINDOW``.
    """
    pictures = _Pictures()
    entries = [_market_entry(market, pictures) for market in markets]
    windows = () if is_served else [window for at, market in enumerate(markets) for window in _windows(at, market)]
    return self_contained_page(
        "inspector.html.jinja",
        title=title,
        data={"markets": entries, "isServed": is_served},
        home=HOME,
        styles=("inspector.css",),
        scripts=("inspector_track.js", "inspector_view.js", "inspector_time.js", "inspector.js"),
        has_timelines=True,
        asks_own_server=is_served,
        pictures=pictures.drawn,
        no_picture=pictures.problem,
        windows=windows,
    )


def size_of(markets: Sequence[InspectedMarket]) -> int:
    """Bytes of all steps as they stand in a page."""
    return sum(track.size for market in markets for track in market.tracks) * 4 // 3


def _market_entry(market: InspectedMarket, pictures: _Pictures) -> dict[str, Any]:
    tracks = []
    for track in market.tracks:
        entry = track.entry()
        entry["chart"]["picture"] = pictures.place_of(track.definition)
        tracks.append(entry)
    return {
        "symbol": market.tracks[0].symbol,
        "tracks": tracks,
        "differences": [difference.sequence for difference in market.differences],
        "isOneJournal": market.is_one_journal,
        "notCompared": market.segments_not_compared,
    }


def _windows(at: int, market: InspectedMarket) -> Sequence[tuple[str, str]]:
    return [
        (f"window-{at}-{number}-{place}", base64.b64encode(window.packed).decode())
        for number, track in enumerate(market.tracks)
        for place, window in enumerate(track.windows)
    ]


class _Pictures:
    """Each chart's picture once, whatever many tracks have it."""

    def __init__(self) -> None:
        self.drawn: list[str] = []
        self.problem = ""
        """Why there is none; empty where there is."""
        self._places: dict[str, int | None] = {}

    def place_of(self, definition: ChartDefinition) -> int | None:
        """Which picture shows a chart; None where none can be drawn."""
        if definition.digest not in self._places:
            self._places[definition.digest] = self._draw(definition)
        return self._places[definition.digest]

    def _draw(self, definition: ChartDefinition) -> int | None:
        try:
            svg = picture(definition, PictureFormat.SVG).decode()
        except DiagramError as error:
            self.problem = str(error)
            return None
        self.drawn.append(embedded_picture(svg, f"picture-{len(self.drawn)}"))
        return len(self.drawn) - 1
