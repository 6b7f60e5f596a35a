"""``mm-fsm run`` on a venue that pushes its facts: asked for in so many words, owned, continued and left in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.cli import running
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.run_view import RunView
from mm_fsm.core.messages import CancelOrder, PlaceOrder
from mm_fsm.runtime.journal import verify_run
from mm_fsm.runtime.ownership import Ownership
from tests.cli.command_line import Finished, run, write_settings
from tests.runtime.settings_texts import MARKET, market_entry, without
from tests.venues.played_kind import Played, installed

LIVE = '[account]\nlongest_wait_seconds = 25\n[venue]\nkind = "played"\nlive = true\naccount = "7"\n'


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with the kind installed and the user's state in it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with installed(tmp_path / "packages", monkeypatch):
        yield tmp_path


def live(place: Path, *options: object, text: str = without("simulator") + LIVE) -> Finished:
    """Run settings, asking for real orders."""
    return run("run", write_settings(place, text), "--live", "--json", "--quiet", "--out", place / "out", *options)


def journal_in(place: Path) -> Path:
    """The journal of account 7, in the user's state."""
    return place / "state" / "mm-fsm" / "played-7" / "ETH-USD" / "run.journal"


def only_entry(finished: Finished) -> Any:
    (entry,) = finished.json()["symbols"]
    return entry


def test_a_session_ends_with_an_empty_book_and_a_clean_journal(place: Path) -> None:
    """The venue's own book agrees, everything was drained, and the venue was closed."""
    finished = live(place, "--duration", 20)
    assert finished.status == ExitCode.SUCCESS, finished.messages
    entry = only_entry(finished)
    assert entry["success"]
    assert entry["ending"]["is_book_confirmed_empty"]
    (venue,) = Played.made
    assert venue.exchange_of("ETH/USD").open_orders == ()
    assert venue.drained
    assert venue.closed
    assert [intent for intent in venue.sent if isinstance(intent, PlaceOrder)]
    assert verify_run(journal_in(place)).is_clean


def test_where_real_orders_leave_stays_in_sight(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines printed before a view is drawn scroll away: the view has it in its heading."""
    headings: list[str] = []

    def view(_: Any, *, quiet: bool, heading: str) -> RunView:
        headings.append(heading)
        assert quiet
        return RunView()

    monkeypatch.setattr(running, "choose_view", view)
    assert live(place, "--duration", 5).status == ExitCode.SUCCESS
    assert headings == ["REAL orders: ETH/USD"]


def test_a_second_run_continues_the_first_ones_journal(place: Path) -> None:
    """The account outlives the process: no id comes twice, and the venue is told the ids of the first run's orders."""
    assert live(place, "--duration", 15).status == ExitCode.SUCCESS
    journal = journal_in(place)
    before = journal.stat().st_size
    assert live(place, "--duration", 15, "--out", place / "elsewhere").status == ExitCode.SUCCESS
    assert not journal.with_name("run.journal.earlier").exists()
    assert journal.stat().st_size > before
    first, second = Played.made
    assert first.known == {"ETH/USD": {}}
    placed = {intent.client_order_id for intent in first.sent if isinstance(intent, PlaceOrder)}
    assert placed
    assert {*second.known["ETH/USD"].values()} <= placed
    assert second.known["ETH/USD"]


def test_markets_of_one_account_share_its_connection(place: Path) -> None:
    text = ""
    for symbol, account in (("A/USD", "1"), ("B/USD", "2"), ("C/USD", "1")):
        entry = market_entry(symbol).replace("[market.simulator]\nstart_price = 2000\nseed = 7\n", "")
        text += entry + LIVE.replace("[venue]", "[market.venue]").replace("[account]", "[market.account]").replace(
            '"7"', f'"{account}"'
        )
    finished = live(place, "--duration", 10, text=text)
    assert finished.status == ExitCode.SUCCESS, finished.messages
    assert [entry["symbol"] for entry in finished.json()["symbols"]] == ["A/USD", "C/USD", "B/USD"]
    assert [[*venue.known] for venue in Played.made] == [["A/USD", "C/USD"], ["B/USD"]]


def test_the_lock_of_a_live_account_is_the_users_wherever_results_go(place: Path) -> None:
    """It is named by the account as the venue says it."""
    assert live(place, "--duration", 10).status == ExitCode.SUCCESS
    assert (journal_in(place).parent / "played-7-ETH-USD.lock").exists()
    assert not list((place / "out").rglob("*.lock"))


def test_a_second_process_on_the_account_is_refused_wherever_its_results_go(place: Path) -> None:
    """Nothing is given to its venue, which is closed again."""
    directory = journal_in(place).parent
    with Ownership(directory, "played-7", "ETH/USD", "another"):
        finished = live(place, "--duration", 10)
    assert finished.status == ExitCode.BAD_INPUT
    assert "market 'ETH/USD' on account 'played-7': expected nobody to quote it" in finished.messages
    (venue,) = Played.made
    assert venue.sent == []
    assert venue.closed


def test_an_account_that_outlives_the_process_needs_a_journal(place: Path) -> None:
    """Without one the next run would know neither its orders nor its position."""
    finished = live(place, "--no-journal")
    assert finished.status == ExitCode.BAD_INPUT
    assert "'--no-journal': expected a journal for account 'played-7'" in finished.messages
    assert [venue.sent for venue in Played.made] == [[]]


def test_a_venue_that_cannot_be_reached_is_told_in_one_line(place: Path) -> None:
    finished = live(place, text=without("simulator") + LIVE + "is_down = true\n")
    assert finished.status == ExitCode.BAD_INPUT
    assert "played: expected an answer, found none" in finished.messages
    assert [venue.closed for venue in Played.made] == [True]


def test_a_broken_off_run_cancels_drains_and_closes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that fails is a bug of ours, and no reason to leave orders behind."""
    taken: list[int] = []

    def fail(_: RunView, session: Any, __: Any) -> None:
        taken.append(sum(order.is_resting for order in session.machine.context.orders.live()))
        if taken[-1]:
            raise ArithmeticError("a bug in a view")

    monkeypatch.setattr(RunView, "take", fail)
    with pytest.raises(ArithmeticError):
        live(place, "--duration", 200)
    (venue,) = Played.made
    left = {intent.client_order_id for intent in venue.sent if isinstance(intent, PlaceOrder)}
    assert left
    assert left == {intent.client_order_id for intent in venue.sent if isinstance(intent, CancelOrder)}
    assert venue.drained
    assert venue.closed


REFUSED = {
    "no-live-in-settings": (
        without("simulator") + LIVE.replace("live = true\n", ""),
        ("--live",),
        ["'venue.live': expected true", "Write live = true"],
    ),
    "no-live-on-the-command-line": (
        without("simulator") + LIVE,
        (),
        ["ETH/USD would be made with real orders: give --live to let them leave"],
    ),
    "live-on-paper": (MARKET, ("--live",), ["'--live': expected settings of a live venue, found 'paper'."]),
    "seed": (without("simulator") + LIVE, ("--live", "--seed", 3), ["'--seed'", "Leave it out"]),
    "both-kinds-of-time": (
        market_entry("A/USD")
        + market_entry("B/USD").replace("[market.simulator]\nstart_price = 2000\nseed = 7\n", "")
        + LIVE.replace("[venue]", "[market.venue]").replace("[account]", "[market.account]"),
        ("--live",),
        ["'venue.kind': expected a kind whose facts are pushed", "'paper'"],
    ),
}


@pytest.mark.parametrize(("text", "options", "parts"), REFUSED.values(), ids=REFUSED.keys())
def test_what_must_not_start_does_not(place: Path, text: str, options: tuple[object, ...], parts: list[str]) -> None:
    finished = run("run", write_settings(place, text), "--quiet", "--out", place / "out", *options)
    assert finished.status == ExitCode.BAD_INPUT
    for part in parts:
        assert part in finished.messages
    assert Played.made == []
    assert not (place / "out").exists()


def test_a_live_run_without_settings_is_refused(place: Path) -> None:
    finished = run("run", "--live", "--out", place / "out")
    assert finished.status == ExitCode.BAD_INPUT
    assert "'--live'" in finished.messages


def test_check_needs_no_connection(place: Path) -> None:
    """Rules and fees that are written are enough; a price has to be given."""
    settings = write_settings(place, without("simulator") + LIVE)
    finished = run("check", settings, "--price", 2000, "--json")
    assert finished.status == ExitCode.SUCCESS, finished.messages
    assert only_entry(finished)["levels"]
    assert Played.made == []
    assert "--price" in run("check", settings).messages


def test_backtests_do_not_read_the_settings_of_a_live_venue(place: Path) -> None:
    from tests.cli.command_line import write_tardis

    recording = write_tardis(place, seconds=20)
    finished = run("backtest", *recording.options, "--settings", write_settings(place, without("simulator") + LIVE))
    assert finished.status == ExitCode.BAD_INPUT
    assert "'venue.kind': expected 'paper' or 'recorded', found 'played'" in finished.messages


def test_plugins_lists_the_kind(place: Path) -> None:
    assert place
    kinds = json.loads(run("plugins", "--json").output)["venues"]
    assert [kind["name"] for kind in kinds] == ["paper", "recorded", "ccxt", "played"]
