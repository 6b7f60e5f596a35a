"""Real trouble in every view: a market on an exchange that loses, repeats and delays, looked at as it goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.cli.market_panel import EDGES, panel_lines
from mm_fsm.cli.status import _lines
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.report.run_condition import RunCondition
from mm_fsm.report.status import SessionStatus
from mm_fsm.report.status_words import headline
from mm_fsm.runtime.session import for_session, open_venue, session_around
from mm_fsm.runtime.settings_file import parse_settings
from mm_fsm.venues.paper import PaperVenue
from mm_fsm.venues.unreliable import Faults, UnreliableVenue
from mm_fsm.watching.served.run_state import _market
from tests.runtime.settings_texts import with_line

RUN = Path("run")
FAULTS = Faults(request_lost=0.05, answer_lost=0.1, query_lost=0.1, fill_lost=0.2, fact_delayed=0.1, seed=5)


@pytest.fixture(scope="module")
def seen() -> list[dict[str, Any]]:
    """What the status said every ten steps, as it comes back from its file; a drawdown ends it early."""
    text = with_line("strategy", "max_drawdown = 0.5\nrequest_timeout_seconds = 1\nvalidity_window_seconds = 4")
    configuration = for_session(parse_settings(text)[0], duration_seconds=400, seed=3)
    venue = open_venue(configuration)
    assert isinstance(venue, PaperVenue)
    terms = venue.terms
    venue.exchange = UnreliableVenue(venue.exchange, FAULTS)
    machine = MarketMakingStateMachine(configuration.strategy, terms.instrument, terms.fees, terms.balances)
    session = session_around(configuration, venue, machine, machine)
    status, found = SessionStatus(session), []
    for number, result in enumerate(session.runner.run()):
        status.follow(result)
        if number % 10 == 0 or result.faults:
            found.append(json.loads(json.dumps(status.entry(), allow_nan=False)))
    return found


def test_there_was_trouble(seen: list[dict[str, Any]]) -> None:
    assert any(entry["unknown_orders"] for entry in seen)
    assert any(entry["faults"]["now"] for entry in seen)
    assert len({headline(entry) for entry in seen}) > 4


@pytest.mark.parametrize("width", [120, 80, 60])
def test_no_line_of_a_panel_or_of_the_status_is_too_wide(seen: list[dict[str, Any]], width: int) -> None:
    for entry in seen[:: max(len(seen) // 60, 1)]:
        lines, _ = panel_lines(entry, width - EDGES, 16)
        assert all(line.cell_len <= width - EDGES for line in lines)
        status = {"process": 1, "written_at": 0.0, "is_running": True, "symbols": [entry]}
        assert all(line.cell_len <= width for line in _lines(status, RUN, {}, width, RunCondition.RUNNING))


def test_the_page_tells_a_fault_and_what_is_done_about_it(seen: list[dict[str, Any]]) -> None:
    for entry in seen:
        told = {each["question"]: each["words"] for each in _market(entry, RunCondition.RUNNING, None)["answers"]}
        fault = entry["faults"]["now"]
        if fault is not None and not entry["has_ended"]:
            assert fault["reason"] in told["fault"]
            assert told["doing"]
