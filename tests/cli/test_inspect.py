"""``inspect`` writes a page beside the run, or serves it; each says what it has looked at."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mm_fsm.cli import inspector
from mm_fsm.cli.inspector import InspectOptions, run_inspector
from tests.cli.command_line import run, run_process, write_settings
from tests.patience import PATIENCE
from tests.runtime.settings_texts import MARKET, market_entry, with_line


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made")
    settings = write_settings(place, market_entry("A/USD") + market_entry("B/USD"))
    assert run("run", settings, "-q", "--duration", 30, "--out", place / "run").status == 0
    return place / "run"


def steps_of(directory: Path) -> dict[str, int]:
    result = json.loads((directory / "result.json").read_text())
    return {entry["symbol"]: entry["steps"] for entry in result["symbols"]}


def test_the_page_stands_beside_the_run_with_every_step(made: Path) -> None:
    finished = run("inspect", made, "-q", "--json")
    assert finished.status == 0
    told = finished.json()
    assert told["page"] == str(made / "inspect.html")
    assert told["bytes"] == (made / "inspect.html").stat().st_size
    assert {market["symbol"]: market["steps"] for market in told["markets"]} == steps_of(made)
    assert not any(market["compared"] for market in told["markets"])
    assert f"{made / 'inspect.html'}: " in run("inspect", made, "-q").output


def test_nothing_but_the_result_is_printed(made: Path) -> None:
    """Libraries that draw have warnings of their own, which a process's standard error would show."""
    finished = run_process("inspect", made, "-q", directory=made)
    assert (finished.status, finished.messages) == (0, "")


def test_one_market_of_several(made: Path, tmp_path: Path) -> None:
    told = run("inspect", made, "-q", "--json", "--symbol", "B/USD", "--out", tmp_path / "b.html").json()
    assert [market["symbol"] for market in told["markets"]] == ["B/USD"]


def test_other_settings_name_their_first_differences(made: Path, tmp_path: Path) -> None:
    """The same steps as verification names."""
    wide = write_settings(tmp_path, with_line("strategy", "target_spread_bps = 12").replace("ETH/USD", "A/USD"))
    told = run("inspect", made, "-q", "--json", "--symbol", "A/USD", "--settings", wide, "--out", tmp_path / "a.html")
    found = told.json()["markets"][0]["first_differences"]
    verified = run("verify", made / "A-USD" / "run.journal", "-q", "--json", "--settings", wide).json()
    assert found == [
        {"segment": difference["segment"], "step": difference["sequence"]}
        for difference in verified["journals"][0]["differences"]
    ]
    assert found


def test_a_run_against_itself_does_not_differ(made: Path, tmp_path: Path) -> None:
    finished = run("inspect", made, "-q", "--against", made, "--out", tmp_path / "same.html")
    assert finished.output.count("no difference") == 2


def test_a_comparison_without_market_data_is_not_called_alike(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, f"{MARKET}\n[journal]\nrecord_market_data = false\n")
    assert run("run", settings, "-q", "--duration", 20, "--out", tmp_path / "run").status == 0
    finished = run("inspect", tmp_path / "run", "-q", "--settings", settings)
    assert "cannot be replayed, nor compared" in finished.output
    assert "no difference" not in finished.output


def test_a_long_journal_is_served_and_no_file_is_written(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (made / "inspect.html").unlink(missing_ok=True)
    monkeypatch.setattr(inspector, "MOST_BYTES", 1_000)
    answers = []

    def look() -> None:
        told = json.loads(capsys.readouterr().out)
        place = urlsplit(told["address"])
        assert place.hostname == "127.0.0.1"
        for path in ("/", "/windows/1/0/0"):
            connection = HTTPConnection("127.0.0.1", place.port or 0, timeout=PATIENCE)
            connection.request("GET", path)
            answers.append(connection.getresponse().status)
            connection.close()
        raise KeyboardInterrupt

    assert run_inspector(made, InspectOptions(as_json=True, quiet=True), until=look) == 0
    assert answers == [200, 200]
    assert not (made / "inspect.html").exists()


def test_a_file_that_is_asked_for_is_written_however_large(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspector, "MOST_BYTES", 1_000)
    assert run("inspect", made, "-q", "--out", tmp_path / "large.html").status == 0
    assert (tmp_path / "large.html").stat().st_size > 1_000
