"""What a served page says of a run in every condition that its directory can be in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from time import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from mm_fsm.report.status import STATUS_FILE
from mm_fsm.runtime.operations import OperationsDirectory, RescuedMarket, this_run
from mm_fsm.watching.served.run_state import run_state
from tests.report.statuses import entries
from tests.watching.served.run_directories import edit, end_market, kill, running_directory


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return running_directory(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "run"))


def state(directory: Path) -> dict[str, Any]:
    """As it goes over the wire: strict JSON."""
    shown: dict[str, Any] = json.loads(json.dumps(run_state(directory, may_control=False), allow_nan=False))
    return shown


def test_a_run_that_goes_on_is_shown_with_its_markets(run: Path) -> None:
    edit(run, written_at=time())
    shown = state(run)
    assert (shown["condition"], shown["next"]) == ("running", None)
    (market,) = shown["markets"]
    assert (market["symbol"], market["headline"], market["tone"]) == ("ETH/USD", "quotes both sides", "good")
    asked = [each["question"] for each in market["answers"]]
    assert asked == ["bid", "ask", "market", "inventory", "profit", "fills", "feed"]
    assert [each["name"] for each in market["limits"]][:3] == ["position", "exposure", "drawdown"]
    prices = [float(each["price"]) for each in market["ladder"] if each["kind"] == "market"]
    assert prices == sorted(prices, reverse=True)
    assert {len(each["price"].partition(".")[2]) for each in market["ladder"]} == {2}


def test_a_run_that_says_nothing_any_more_may_hang(run: Path) -> None:
    edit(run, written_at=time() - 65)
    assert state(run)["condition"] == "silent"
    assert "has said nothing for 1:05" in state(run)["words"]


def test_a_run_whose_process_is_gone_leaves_orders_until_a_watchdog_has_confirmed_that_none_is_there(run: Path) -> None:
    kill(run)
    shown = state(run)
    assert shown["condition"] == "gone"
    assert "Orders may still be open" in shown["next"]["words"]
    assert shown["next"]["tone"] == "bad"
    assert shown["markets"][0]["headline"] == "was left before it ended"
    assert shown["markets"][0]["ladder"] == []
    found = RescuedMarket(run=this_run(), at=time(), is_confirmed_empty=True, cancels=6)
    OperationsDirectory(run).note_rescue({"ETH/USD": found})
    assert "confirmed every book empty" in state(run)["next"]["words"]
    (orders,) = [each for each in state(run)["markets"][0]["answers"] if each["question"] == "orders"]
    assert orders["words"] == "none is open: a watchdog found the venue's book empty"
    assert state(run)["rescues"] == ["ETH/USD: a watchdog sent 6 cancels and found the book empty"]


def test_a_run_that_has_ended_says_so(run: Path) -> None:
    edit(run, is_running=False)
    end_market(run)
    shown = state(run)
    assert shown["condition"] == "ended"
    (market,) = shown["markets"]
    assert (market["headline"], market["is_over"], market["ladder"], market["limits"]) == ("ended", True, [], [])
    asked = [each["question"] for each in market["answers"]]
    assert asked[:5] == ["ended", "orders", "position", "profit", "fills"]
    assert "has ended at 20" in shown["words"]
    assert shown["next"]["words"].startswith("No order is open.")


def test_a_run_that_an_error_ended_has_left_its_markets_whatever_its_status_says_last(run: Path) -> None:
    edit(run, is_running=False)
    shown = state(run)
    assert shown["condition"] == "left"
    assert "has left markets before they ended; its last word is of" in shown["words"]
    assert "Orders may still be open" in shown["next"]["words"]
    assert shown["markets"][0]["headline"] == "was left before it ended"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "a status in JSON"),
        ("[]", "a status of format 4"),
        ('{"format": 1}', "a status of format 4"),
        ('{"format": 4}', "a whole status, found 'is_running is missing'"),
        (None, "No run has written"),
    ],
)
def test_a_status_that_cannot_be_read_says_why(run: Path, content: str | None, words: str) -> None:
    (run / STATUS_FILE).unlink()
    if content is not None:
        (run / STATUS_FILE).write_text(content)
    shown = state(run)
    assert shown["condition"] == "unreadable"
    assert words in shown["words"]
    assert shown["markets"] == []


def test_what_people_have_asked_for_and_what_pages_there_are_is_told(run: Path) -> None:
    assert (state(run)["pause"], state(run)["pages"]) == (None, [])
    OperationsDirectory(run).ask("pause", "figures at\ttwo\x1b[2J")
    (run / "report.html").write_text("<p>")
    assert state(run)["pause"] == "figures at two [2J"
    assert state(run)["pages"] == ["report.html"]


@pytest.mark.parametrize("is_running", [True, False])
@given(entries())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_every_status_can_be_shown(run: Path, is_running: bool, entry: dict[str, Any]) -> None:
    edit(run, symbols=[entry], written_at=time(), is_running=is_running)
    shown = state(run)
    assert shown["condition"] == ("running" if is_running else "ended" if entry["has_ended"] else "left")
    (market,) = shown["markets"]
    assert market["answers"]
    assert all(each["words"].isprintable() for each in market["answers"])
