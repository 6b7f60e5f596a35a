"""The journals that ``run`` and ``backtest`` keep: complete, of one run, by one process, told when they fail."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path

import pytest

from mm_fsm.runtime.journal import JournalReader, verify_run
from tests.cli.command_line import command, run, run_process, write_settings, write_tardis
from tests.cli.test_ending import started, wait_for
from tests.patience import PATIENCE
from tests.runtime.settings_texts import MARKET, market_entry, with_line

JOURNAL = Path("out") / "ETH-USD" / "run.journal"


def facts_in(journal: Path) -> int:
    """How many steps are on record."""
    with JournalReader(journal) as reader:
        return reader.last_sequence


@pytest.mark.smoke
def test_every_symbol_has_a_journal_that_replays(tmp_path: Path) -> None:
    """Two markets, without asking for it; the result says how large each journal is, and every step is in it."""
    settings = write_settings(tmp_path, market_entry("A/USD") + market_entry("B/USD"))
    finished = run("run", settings, "--duration", 60, "--json", "-q", "--out", tmp_path / "out")
    assert finished.status == 0
    for entry in finished.json()["symbols"]:
        journal = tmp_path / "out" / entry["symbol"].replace("/", "-") / entry["journal"]["file"]
        assert entry["journal"]["bytes"] == journal.stat().st_size > 0
        assert entry["journal"]["failure"] is None
        assert facts_in(journal) == entry["steps"]
    verified = run("verify", tmp_path / "out", "--json")
    assert verified.status == 0
    reports = verified.json()["journals"]
    assert [report["journal"] for report in reports] == [
        str(tmp_path / "out" / name / "run.journal") for name in ("A-USD", "B-USD")
    ]
    assert [report["facts"] for report in reports] == [entry["steps"] for entry in finished.json()["symbols"]]
    assert "journal" in run("report", tmp_path / "out").output


def test_a_backtest_has_a_journal_that_replays(tmp_path: Path) -> None:
    files = write_tardis(tmp_path)
    assert run("backtest", *files.options, "-q", "--out", tmp_path / "out").status == 0
    verified = run("verify", tmp_path / "out")
    assert verified.status == 0
    assert "bit for bit" in verified.output
    assert verified.output.endswith("clean\n")


def test_a_journal_changes_nothing_but_the_order_ids(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, MARKET)
    measured = {"wall_seconds", "events_per_second", "computing_seconds", "budget_breaches", "journal"}
    entries = []
    for option in ("--journal", "--no-journal"):
        (entry,) = run("run", settings, "--duration", 60, "--json", "-q", option, "--out", tmp_path).json()["symbols"]
        entries.append({name: value for name, value in entry.items() if name not in measured})
    assert entries[0] == entries[1]
    assert entries[0]["fills"] > 0


def test_a_second_run_keeps_the_journal_of_the_first_and_begins_its_own(tmp_path: Path) -> None:
    """The paper exchange knows nothing of the first run's orders, so its journal is never continued."""
    settings = write_settings(tmp_path, MARKET)
    lengths = []
    for seconds in (60, 50, 40):
        run("run", settings, "--duration", seconds, "-q", "--out", tmp_path / "out")
        lengths.append(facts_in(tmp_path / JOURNAL))
    assert sorted(set(lengths), reverse=True) == lengths
    earlier = (tmp_path / JOURNAL).with_name("run.journal.earlier")
    assert facts_in(earlier) == lengths[1]
    assert len(run("verify", tmp_path / "out", "--json").json()["journals"]) == 1
    assert verify_run(earlier).is_clean
    run("run", settings, "--duration", 20, "-q", "--no-journal", "--out", tmp_path / "out")
    assert facts_in(earlier) == lengths[2]  # nothing beside the new result tells of another run
    assert not (tmp_path / JOURNAL).exists()


def test_the_journal_of_a_run_that_was_killed_is_kept_with_its_log(tmp_path: Path) -> None:
    """SIGKILL: the file and its log stay, replay as far as they go, and the next run there puts them aside."""
    settings = write_settings(tmp_path, MARKET)
    with started(tmp_path, "run", str(settings), "--duration", "3600", "--speed", "1", "--out", "out") as process:
        wait_for(process, "session_opened")
        process.kill()
        process.wait()
    left = facts_in(tmp_path / JOURNAL)
    assert verify_run(tmp_path / JOURNAL).is_clean
    assert run("run", settings, "--duration", 20, "-q", "--out", tmp_path / "out").status == 0
    aside = tmp_path / "out.unfinished-1" / (tmp_path / JOURNAL).relative_to(tmp_path / "out")
    assert facts_in(aside) == left
    assert verify_run(aside).is_clean
    assert verify_run(tmp_path / JOURNAL).is_clean


@pytest.mark.parametrize("options", [(), ("--no-journal",)], ids=["journal", "no-journal"])
def test_a_second_process_is_told_who_writes_there(tmp_path: Path, options: tuple[str, ...]) -> None:
    """It leaves the first one's files alone; in another directory it has an exchange of its own."""
    settings = write_settings(tmp_path, MARKET)
    with started(tmp_path, "run", str(settings), "--duration", "3600", "--speed", "1", "--out", "out") as process:
        wait_for(process, "session_opened")
        second = run("run", settings, "--duration", 20, "-q", *options, "--out", tmp_path / "out")
        elsewhere = run("run", settings, "--duration", 20, "-q", *options, "--out", tmp_path / "elsewhere")
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert second.status == 2
    assert f"process {process.pid} on " in second.messages
    assert "--out" in second.messages
    assert elsewhere.status == 0
    assert verify_run(tmp_path / JOURNAL).is_clean


def test_settings_say_what_is_recorded(tmp_path: Path) -> None:
    """Without market data a run cannot be replayed, and verify says what it checked instead."""
    settings = write_settings(tmp_path, MARKET + "[journal]\nrecord_market_data = false\n")
    run("run", settings, "--duration", 40, "-q", "--out", tmp_path / "out")
    verified = run("verify", tmp_path / "out")
    assert verified.status == 0
    assert "without market data" in verified.output
    refused = run("run", write_settings(tmp_path, MARKET + "[journal]\nmax_megabytes = 0\n"), "--out", tmp_path / "out")
    assert refused.status == 2
    assert "journal.max_megabytes" in refused.messages


WITHOUT_BYTECODE = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
"""For processes whose files may not grow: the interpreter would leave cut-off bytecode to every later process."""


@pytest.mark.parametrize("kilobytes", [150, 400])
def test_a_disk_that_fills_up_ends_the_run_in_words(tmp_path: Path, kilobytes: int) -> None:
    """No file may grow beyond so much: nothing more is placed, what is live is cancelled, and the result says why."""
    write_settings(tmp_path, MARKET)
    limit = kilobytes * 1000
    finished = subprocess.run(
        command("run", "settings.toml", "--duration", "3000", "--json", "-q", "--out", "out"),
        cwd=tmp_path, env=WITHOUT_BYTECODE, capture_output=True, check=False, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert finished.returncode == 1
    assert "Traceback" not in finished.stderr
    assert "mm-fsm: journal of ETH/USD: expected to be written" in finished.stderr
    (entry,) = json.loads(finished.stdout)["symbols"]
    assert entry["outcome"] == "fault"
    assert entry["journal"]["failure"]
    assert entry["ending"]["is_book_confirmed_empty"]
    assert verify_run(tmp_path / JOURNAL).is_clean


def test_files_that_cannot_be_written_any_more_do_not_end_the_session(tmp_path: Path) -> None:
    """Without a journal, fills and transitions meet the full disk: the session ends in order, the status is 1."""
    write_settings(tmp_path, MARKET)
    finished = subprocess.run(
        command("run", "settings.toml", "--duration", "900", "--json", "-q", "--no-journal", "--out", "out"),
        cwd=tmp_path, env=WITHOUT_BYTECODE, capture_output=True, check=False, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000)),
    )  # fmt: skip
    assert finished.returncode == 1
    assert "Traceback" not in finished.stderr
    assert "mm-fsm: out/ETH-USD: not all could be written" in finished.stderr
    (entry,) = json.loads(finished.stdout)["symbols"]
    assert entry["outcome"] == "completed"


def test_a_journal_that_cannot_be_begun_is_refused(tmp_path: Path) -> None:
    """A directory stands where the file is to be made."""
    (tmp_path / "out" / "ETH-USD" / "run.journal.new").mkdir(parents=True)
    finished = run("run", write_settings(tmp_path, MARKET), "--duration", 20, "--out", tmp_path / "out")
    assert finished.status == 2
    assert "run.journal" in finished.messages
    assert "Traceback" not in finished.messages


MACHINE = """
from mm_fsm import MarketMakingStateMachine as Base


class Shy(Base):
    def quotes_stale(self) -> bool:
        return False


class Shyer(Shy):
    shyness = 2
"""


def test_a_machine_of_ones_own_runs_and_replays(tmp_path: Path) -> None:
    """From a module in the current directory; what another machine would have done is one difference a segment."""
    (tmp_path / "shy.py").write_text(MACHINE)
    write_settings(tmp_path, MARKET)
    options = ("settings.toml", "--duration", "60", "--json", "-q", "--out", "out", "--machine", "shy:Shy")
    finished = run_process("run", *options, directory=tmp_path)
    assert finished.status == 0, finished.messages
    assert finished.json()["symbols"][0]["additional_data"]["adjustment_count"] == 0
    assert run_process("verify", "out", directory=tmp_path).status == 0
    assert run_process("verify", "out", "--machine", "shy:Shyer", directory=tmp_path).status == 0
    shipped = "mm_fsm.machine.market_making:MarketMakingStateMachine"
    other = run_process("verify", "out", "--machine", shipped, directory=tmp_path)
    assert other.status == 1
    assert "differs in segment 1" in other.output
    assert "quotes_went_stale" in other.output


@pytest.mark.parametrize(
    ("reference", "part"),
    [
        ("shy:Bold", "Bold"),
        ("bold:Bold", "bold"),
        ("shy", "MODULE:CLASS"),
        ("mm_fsm.books.order_lifecycle:OrderLifecycle", "expected a strategy, found another chart"),
    ],
)
def test_a_machine_that_is_not_there_is_refused(tmp_path: Path, reference: str, part: str) -> None:
    (tmp_path / "shy.py").write_text(MACHINE)
    for arguments in (("run", "--out", "out"), ("verify", "out")):
        (tmp_path / "out").mkdir(exist_ok=True)
        finished = run_process(*arguments, "--machine", reference, directory=tmp_path)
        assert finished.status == 2
        assert part in finished.messages
        assert "Traceback" not in finished.messages


def test_what_other_settings_would_have_done_is_told(tmp_path: Path) -> None:
    """The same settings differ in nothing; wider ones in the first prices, told with both sides."""
    settings = write_settings(tmp_path, MARKET)
    run("run", settings, "--duration", 60, "-q", "--out", tmp_path / "out")
    same = run("verify", tmp_path / "out", "--settings", settings)
    assert same.status == 0
    wider = write_settings(tmp_path, with_line("strategy", "target_spread_bps = 12"), "wider.toml")
    finished = run("verify", tmp_path / "out", "--settings", wider)
    assert finished.status == 1
    assert "- recorded, + replayed" in finished.output
    assert "\n    - " in finished.output
    assert "\n    + " in finished.output
    assert "PlaceOrder" in finished.output
    other = write_settings(tmp_path, market_entry("B/USD"), "other.toml")
    refused = run("verify", tmp_path / "out", "--settings", other)
    assert refused.status == 2
    assert "B/USD" in refused.messages


def test_verify_of_nothing_and_of_something_else_is_refused(tmp_path: Path) -> None:
    empty = run("verify", tmp_path)
    assert empty.status == 2
    assert "found none" in empty.messages
    broken = tmp_path / "a" / "run.journal"
    broken.parent.mkdir()
    broken.write_text("no journal at all")
    refused = run("verify", tmp_path)
    assert refused.status == 2
    assert str(broken) in refused.messages


def test_progress_of_verify_without_a_terminal_is_log_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mm_fsm.cli.long_work.PROGRESS_SECONDS", 0.0)
    run("run", write_settings(tmp_path, MARKET), "--duration", 40, "-q", "--out", tmp_path / "out")
    finished = run("verify", tmp_path / "out")
    lines = [line for line in finished.messages.splitlines() if "verify_progress" in line]
    assert any("progress=50%" in line for line in lines)
    assert all("run.journal" in line for line in lines)
    assert not run("verify", tmp_path / "out", "--quiet").messages
