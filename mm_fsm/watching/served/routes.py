"""Which address answers what about one run. Everything reads but pause, resume and stop, which need the token."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from shlex import quote
from typing import Any, Final

from mm_fsm.errors import SettingsError
from mm_fsm.report.pages import self_contained_page
from mm_fsm.report.run_condition import ORDERS_MAY_BE_OPEN, SILENT_SECONDS, RunCondition, condition_now
from mm_fsm.report.status_words import printable
from mm_fsm.runtime.loopback_server import (
    Request,
    Response,
    Route,
    json_response,
    not_here,
    page_response,
)
from mm_fsm.runtime.operations import PAUSE, STOP, OperationsDirectory
from mm_fsm.watching.exposition import metrics_of_run
from mm_fsm.watching.served.access import Access
from mm_fsm.watching.served.run_state import PAGES, run_state

_ALONE: Final = {
    "Content-Security-Policy": "sandbox allow-scripts allow-downloads; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
}
"""A page out of the run's directory has an origin of its own: whatever stands in it can ask this server nothing."""
_LONGEST_REASON: Final = 120


def routes_of(directory: Path, access: Access | None) -> dict[str, Route]:
    """Every route.

    Args:
        directory: of the run.
        access: what pause, resume and stop need; None offers none of them.
    """
    routes: dict[str, Route] = {
        "GET /": lambda _: page_response(live_page()),
        "GET /api/status": lambda _: json_response(run_state(directory, may_control=access is not None)),
        "GET /metrics": lambda _: metrics_of_run(directory),
    }
    for name in PAGES:
        routes[f"GET /{name}"] = _file_route(directory / name)
    if access is not None:
        routes["POST /api/unlock"] = _guarded(access, lambda _: json_response({"words": "unlocked"}))
        for name, wish in _WISHES.items():
            routes[f"POST /api/{name}"] = _guarded(access, _wish_route(directory, wish))
    return routes


@cache
def live_page() -> str:
    """The page, which asks its own server for everything that it shows."""
    home = "mm_fsm.watching.served"
    title = "mm-fsm"
    return self_contained_page(
        "live.html.jinja", title=title, home=home, styles=("live.css",), scripts=("live.js",), asks_own_server=True
    )


def _file_route(path: Path) -> Route:
    def answer(_request: Request) -> Response:
        try:
            return page_response(path.read_text(encoding="utf-8"), _ALONE)
        except FileNotFoundError:
            return not_here(_missing(path))

    return answer


def _missing(path: Path) -> str:
    """What makes a page that is not there: a run writes its report as it ends, and no inspector."""
    directory = quote(str(path.parent))
    if path.name == PAGES[0]:
        return f"The run writes it as it ends; until then: mm-fsm report {directory}"
    return f"No run writes it by itself. Make it with: mm-fsm inspect {directory}"


def _guarded(access: Access, route: Route) -> Route:
    def answer(request: Request) -> Response:
        if not access.admits(request):
            return Response(
                body=json.dumps({"words": "The token is missing or wrong."}).encode(),
                content_type="application/json",
                status=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
        return route(request)

    return answer


def _pause(operations: OperationsDirectory, reason: str, _run: str) -> str:
    operations.ask(PAUSE, reason)
    return "It will be paused within a second: every order is cancelled, none is placed until it is resumed."


def _resume(operations: OperationsDirectory, _reason: str, _run: str) -> str:
    operations.take_back(PAUSE)
    return "It will be resumed within a second."


def _stop(operations: OperationsDirectory, reason: str, run: str) -> str:
    operations.ask(STOP, reason, run)
    return "It will be stopped within a second: every order is cancelled and confirmed gone."


_Wish = Callable[[OperationsDirectory, str, str], str]
"""Leaves a file with a reason, for a run."""
_WISHES: Final[Mapping[str, _Wish]] = {
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
}


def _wish_route(directory: Path, wish: _Wish) -> Route:
    def answer(request: Request) -> Response:
        try:
            content: Any = json.loads(request.body)
            run, reason = content["run"], content.get("reason", "")
        except (ValueError, LookupError, TypeError, AttributeError):
            return json_response({"words": "Expected an object with 'run', the one that is meant."}, 400)
        if not isinstance(run, str) or not isinstance(reason, str):
            return json_response({"words": "Expected a text as 'run' and a text as 'reason'."}, 400)
        operations = OperationsDirectory(directory)
        try:
            problem = _why_nobody_listens(operations, run)
            if problem:
                return json_response({"words": problem}, 409)
            reason = f"served page: {printable(reason)[:_LONGEST_REASON] or 'no reason given'}"
            words = wish(operations, reason, run)
        except SettingsError as error:
            return json_response({"words": printable(str(error))}, 409)
        if condition_now(operations) is RunCondition.SILENT:
            words = f"Asked, but the run has said nothing for {SILENT_SECONDS:g} s: it may not see this. Look at it."
        return json_response({"words": words})

    return answer


def _why_nobody_listens(operations: OperationsDirectory, run: str) -> str:
    """Why a wish must not be left: it would meet another run, or the next one. Empty when the run listens."""
    facts = operations.read()
    if facts.run != run:
        return f"Another run goes on here by now, of process {facts.process}: look at it first."
    condition = condition_now(operations)
    if condition is RunCondition.ENDED:
        return "The run has ended: nothing listens."
    if condition in ORDERS_MAY_BE_OPEN:
        return f"The run is {condition} and has not ended in order: nothing listens. Orders may still be open."
    return ""
