"""What the inspector's server answers: the page, and the windows of steps that it loads. Nothing can be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from mm_fsm.report.inspection.page import InspectedMarket
from mm_fsm.runtime.loopback_server import Request, Response, Route, page_response, text_response

_NOT_FOUND: Final = 404


def inspection_routes(page: str, markets: Sequence[InspectedMarket]) -> Mapping[str, Route]:
    """Routes for a loopback server: the page under two names, and its windows."""
    windows = {
        f"/windows/{at}/{number}/{place}": window.packed
        for at, market in enumerate(markets)
        for number, track in enumerate(market.tracks)
        for place, window in enumerate(track.windows)
    }

    def window(request: Request) -> Response:
        packed = windows.get(request.path)
        if packed is None:
            return text_response("There is no such window of steps.", _NOT_FOUND)
        return Response(body=packed, content_type="application/octet-stream")

    def whole(_: Request) -> Response:
        return page_response(page)

    return {"GET /": whole, "GET /inspect.html": whole, "GET /windows/": window}
