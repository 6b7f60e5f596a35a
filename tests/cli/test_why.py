"""``mm-fsm why``: what is printed and what it refuses, for two markets of one run."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from mm_fsm.cli.moments import parse_moment
from mm_fsm.core.messages import SIDES
from mm_fsm.errors import OptionError
from mm_fsm.report.why.printed import clock
from mm_fsm.runtime.journal import JournalReader, JournalSettings, writer
from mm_fsm.runtime.journal.database import RecordRow
from tests.cli.command_line import run, write_settings
from tests.runtime.journal.scenario import World, begin, plan_at
from tests.runtime.settings_texts import with_line

ROOT = Path(__file__).parents[2]
BEGAN = 1_704_067_200_062_000_000
"""2024-01-01 00:00:00.062 UTC."""
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's two markets for two minutes."""
    out = tmp_path_factory.mktemp("runs") / "demo"
    assert run("run", "--duration", 120, "--seed", 7, "--out", out, "-q").status == 0
    return out


@pytest.fixture(scope="module")
def whole(directory: Path) -> Any:
    finished = run("why", directory, "--json", "-q")
    assert finished.status == 0, finished.messages
    return finished.json()


def test_all_time_of_both_sides_is_accounted_for(whole: Any) -> None:
    """Summed here from the stretches: from the first step to the last, without a gap, and none without a reason."""
    assert whole["unexplained_seconds"] == 0
    assert {each["symbol"] for each in whole["markets"]} == {"ETH/USD", "BTC/USD"}
    for market in whole["markets"]:
        for side in ("bid", "ask"):
            own = [each for each in whole["stretches"] if (each["symbol"], each["side"]) == (market["symbol"], side)]
            assert own[0]["begin"] == market["begin"]
            assert own[-1]["end"] == market["end"]
            assert all(before["end"] == after["begin"] for before, after in pairwise(own))
            assert all(each["reason"] not in {"", "unexplained"} for each in own)


def test_a_time_is_answered_for_both_sides_with_what_would_have_helped(directory: Path, whole: Any) -> None:
    held = [each for each in whole["stretches"] if each["kind"] == "held" and each["reason"] == "risk"]
    chosen = (held or [each for each in whole["stretches"] if each["kind"] == "held"])[0]
    moment = (chosen["begin"] + chosen["end"]) / 2 - whole["markets"][0]["run_began"]
    began = next(each["run_began"] for each in whole["markets"] if each["symbol"] == chosen["symbol"])
    moment = ((chosen["begin"] + chosen["end"]) // 2 - began) / SECOND
    words = ("why", directory, "--at", f"{moment:.6f}", "--symbol", chosen["symbol"], "-q")
    found = run(*words, "--json").json()
    assert len(found["answers"]) == len(SIDES)
    answer = next(each for each in found["answers"] if each["side"] == chosen["side"])
    assert (answer["begin"], answer["end"], answer["reason"]) == (chosen["begin"], chosen["end"], chosen["reason"])
    assert answer["counterfactual"]["tried"]
    printed = run(*words, "--side", chosen["side"])
    assert printed.status == 0
    for part in ("not quoted", "began", "decided", "ended", "Put back to step"):
        assert part in printed.output


def test_the_documented_times_are_in_the_first_ten_minutes_of_the_documented_run() -> None:
    """Runs on simulated markets begin at midnight; the documents make them ten minutes long, or an hour."""
    help_text, page = run("why", "--help").output, (ROOT / "docs" / "why.md").read_text()
    commands = [line for line in page.splitlines() if line.startswith("mm-fsm why ")]
    found = [time for line in (*commands, help_text) for time in re.findall(r"--(?:at|from|to)\s+(\d+:[0-9:.]+)", line)]
    assert len(found) >= 4
    assert all(BEGAN <= parse_moment("--at", time, BEGAN) < BEGAN + 600 * SECOND for time in found), found


def test_a_time_after_the_record_is_refused_with_all_that_is_on_record_before_any_step_is_made_again(
    directory: Path, whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwanted(*_: object) -> None:
        pytest.fail("steps were made again for a time that is not on record")

    (market,) = (each for each in whole["markets"] if each["symbol"] == "ETH/USD")
    monkeypatch.setattr("mm_fsm.cli.why.read_account", unwanted)
    finished = run("why", directory, "--symbol", "ETH/USD", "--at", "14:03:05", "-q")
    assert finished.status == 2
    first, last = clock(market["begin"]), clock(market["end"])
    assert f"expected a time from {first} to {last}, found '14:03:05'" in " ".join(finished.messages.split())


def test_the_end_of_a_stretch_is_told_also_of_a_quote_that_rests(directory: Path, whole: Any) -> None:
    """What the whole account says of its end, though only a moment was asked for."""
    live = next(
        each for each in whole["stretches"]
        if each["kind"] == "live" and each["ended_with"] and each["symbol"] == "ETH/USD"
    )  # fmt: skip
    began = next(each["run_began"] for each in whole["markets"] if each["symbol"] == live["symbol"])
    moment = ((live["begin"] + live["end"]) // 2 - began) / SECOND
    words = ("why", directory, "--symbol", "ETH/USD", "--at", f"{moment:.6f}", "--side", live["side"], "-q")
    (answer,) = run(*words, "--json").json()["answers"]
    assert (answer["kind"], answer["end"], answer["ended_with"]) == ("live", live["end"], live["ended_with"])
    assert "still so" not in run(*words).output


def test_what_has_not_ended_in_a_run_that_goes_on_is_still_so(tmp_path: Path) -> None:
    with begin(plan_at(tmp_path / "run.journal")) as opened:
        World().run(opened, 12)
        (market,) = run("why", tmp_path, "--json", "-q").json()["markets"]
        printed = run("why", tmp_path, "--at", clock(market["end"]), "-q").output
    assert "still so at the last step on record" in printed


def test_the_proposed_command_stands_on_a_line_of_its_own_where_a_setting_could_have_helped(
    directory: Path, whole: Any
) -> None:
    """Not for a market that was silent only at its beginning and its end."""
    begin_and_end = {"not_started", "warming_up", "waiting_for_balances", "no_market_data", "stopping", "completed"}
    asked = {
        each["symbol"]
        for each in whole["stretches"]
        if each["kind"] == "held" and each["reason"] not in {*begin_and_end, "reconciling", "operator_paused"}
    }
    proposed = [line for line in run("why", directory, "-q").output.splitlines() if "mm-fsm why" in line]
    assert {line.split()[4] for line in proposed if "--symbol" in line} == asked
    assert asked
    for line in proposed:
        assert re.fullmatch(rf"mm-fsm why {re.escape(str(directory))} --symbol [A-Z/]+ --at [0-9:.]+", line)
        assert run(*line.split()[1:], "-q").status == 0


def test_a_window_counts_only_what_lies_in_it(directory: Path) -> None:
    found = run("why", directory, "--from", 30, "--to", "90s", "--symbol", "ETH/USD", "--json", "-q").json()
    (market,) = found["markets"]
    assert market["end"] - market["begin"] == 60 * SECOND
    for side in ("bid", "ask"):
        own = [each for each in found["stretches"] if each["side"] == side]
        assert sum(each["end"] - each["begin"] for each in own) == 60 * SECOND
    assert found["unexplained_seconds"] == 0
    printed = run("why", directory, "--from", 30, "--to", "90s", "--symbol", "ETH/USD", "-q")
    assert "1:00 on each side" in printed.output


def test_a_whole_run_is_printed_with_totals_and_the_longest_silences(directory: Path) -> None:
    printed = run("why", directory, "-q")
    for part in ("ETH/USD", "BTC/USD", "a quote rests in the book", "without a reason", "held", "--at"):
        assert part in printed.output


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--at", "never"), "seconds since the run began"),
        (("--at", "1e9"), "a time from"),
        (("--at", "2020-01-01"), "had not begun"),
        (("--from", "50", "--to", "40"), "a time after --from"),
        (("--at", "5", "--from", "1"), "either a time or a window"),
        (("--from", "1e8"), "a time up to"),
        (("--symbol", "ETH/USDT"), "Did you mean 'ETH/USD'?"),
        (("--side", "both"), "bid"),
    ],
)
def test_what_is_not_in_the_run_is_refused_with_what_is(directory: Path, words: tuple[str, ...], part: str) -> None:
    finished = run("why", directory, *words, "-q")
    assert finished.status == 2
    assert part in " ".join(finished.messages.split())
    assert not finished.output


def test_records_without_market_data_are_not_explained_and_say_what_to_do(tmp_path: Path) -> None:
    plan = plan_at(tmp_path / "run.journal", journal_settings=JournalSettings(record_market_data=False))
    with begin(plan) as opened:
        World().run(opened, 20)
    finished = run("why", tmp_path, "-q")
    assert finished.status == 1
    assert "record_market_data" in finished.messages
    assert "not recorded" in finished.output
    assert run("why", tmp_path, "--at", 5, "-q").status == 1


def test_time_without_market_data_begins_with_the_first_fact_on_record(tmp_path: Path) -> None:
    """A machine that has met no fact stands at no time, not in 1970; and nobody can say that nothing was held."""
    plan = plan_at(tmp_path / "run.journal", journal_settings=JournalSettings(record_market_data=False))
    with begin(plan) as opened:
        World().run(opened, 20)
    with JournalReader(plan.path) as reader:
        rows = [row for segment in reader.segments for row in reader.rows(segment)]
        times = [row.time for row in rows if isinstance(row, RecordRow)]
    (market,) = run("why", tmp_path, "--json", "-q").json()["markets"]
    assert (market["begin"], market["end"]) == (min(times), max(times))
    assert market["unexplained_seconds"] == 2 * (max(times) - min(times)) / SECOND
    assert "held" not in run("why", tmp_path, "-q").output


def test_a_run_says_where_its_journal_answers_no_why(tmp_path: Path) -> None:
    """Nothing is proposed that would fail."""
    for keeps, part in ((True, "mm-fsm why"), (False, "not for this run; record_market_data = true below [journal]")):
        text = with_line("journal", f"record_market_data = {str(keeps).lower()}")
        finished = run("run", write_settings(tmp_path, text), "--duration", 20, "--out", tmp_path / str(keeps), "-q")
        words = " ".join(finished.messages.split())
        assert part in words
        assert ("mm-fsm why" in words, "mm-fsm inspect" in words) == (keeps, keeps)


def test_a_forgotten_beginning_is_told_and_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The totals cover the run from its first step, the exit status is 1; a window of what is left is a success."""
    monkeypatch.setattr(writer, "BYTES_PER_MEGABYTE", 100_000)
    kept = JournalSettings(record_market_data=True, segment_records=40, max_megabytes=1)
    with begin(plan_at(tmp_path / "run.journal", journal_settings=kept)) as opened:
        World().run(opened, 60)
    with JournalReader(tmp_path / "run.journal") as reader:
        left = reader.segments[0].time
    finished = run("why", tmp_path, "-q")
    assert finished.status == 1
    assert "not recorded: the journal has forgotten it" in " ".join(finished.output.split())
    assert "max_megabytes" in finished.messages
    entry = run("why", tmp_path, "--json", "-q").json()
    (market,) = entry["markets"]
    forgotten = (left - market["begin"]) / SECOND
    assert market["begin"] == market["run_began"]
    assert market["forgotten_seconds"] == forgotten > 0
    assert market["totals"]["bid"]["not_recorded"] == forgotten
    assert entry["unexplained_seconds"] == 2 * forgotten
    asked = run("why", tmp_path, "--at", 0, "-q")
    assert asked.status == 1
    assert "forgotten" in asked.output
    rest = run("why", tmp_path, "--from", str((left - market["begin"]) / SECOND + 0.01), "--json", "-q")
    assert rest.status == 0, rest.messages
    assert rest.json()["markets"][0]["forgotten_seconds"] == 0


def test_a_run_that_goes_on_is_explained_as_far_as_it_is_written(tmp_path: Path) -> None:
    """Another process reads the journal while its run writes it."""
    with begin(plan_at(tmp_path / "run.journal")) as opened:
        World().run(opened, 20)
        finished = run("why", tmp_path, "--json", "-q")
        assert finished.status == 0
        assert finished.json()["stretches"]


def test_a_run_of_one_step_has_nothing_to_explain(tmp_path: Path) -> None:
    plan = evolve(plan_at(tmp_path / "run.journal"))
    world = World()
    with begin(plan) as opened:
        world.run(opened, until=lambda _: True)
    finished = run("why", tmp_path, "--json", "-q")
    assert finished.status == 0
    assert finished.json()["stretches"] == []
    with JournalReader(plan.path) as reader:
        assert reader.last_sequence == 1


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("0", 0),
        ("90", 90 * SECOND),
        ("1.5", 3 * SECOND // 2),
        ("1h30m", 5_400 * SECOND),
        ("00:00:10", 10 * SECOND - 62_000_000),
        ("00:00:10.562", 10 * SECOND + 500_000_000),
        ("2024-01-01T00:01:00Z", 60 * SECOND - 62_000_000),
        ("2024-01-01 01:01:00+01:00", 60 * SECOND - 62_000_000),
        ("2024-01-02", 86_400 * SECOND - 62_000_000),
    ],
)
def test_times_are_read_as_people_write_them(text: str, after: int) -> None:
    """By hand, from a run that began at 00:00:00.062."""
    assert parse_moment("--at", text, BEGAN) == BEGAN + after


def test_a_clock_time_before_the_beginning_is_on_the_next_day() -> None:
    """A run of ten at night; 01:00 is three hours later."""
    ten = BEGAN - 62_000_000 + 22 * 3_600 * SECOND
    assert parse_moment("--at", "01:00", ten) == ten + 3 * 3_600 * SECOND


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "soon", "25:00", "2024-13-01", ""])
def test_other_texts_are_no_times(text: str) -> None:
    with pytest.raises(OptionError, match="--at"):
        parse_moment("--at", text, BEGAN)
