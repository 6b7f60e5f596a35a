"""Runs side by side, and a run beside a plain quoter: what is paired, what is refused, and what the differences are."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.report.run_data.figures_file import read_figures
from tests.cli.command_line import run

SECONDS = 240
WIDER = "[strategy]\ntarget_spread_bps = 12.0\nmin_spread_bps = 12.0\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``one``, ``wide`` and ``later``: the shipped settings, wider ones in the same market, another time."""
    place = tmp_path_factory.mktemp("runs")
    (place / "one.toml").write_text('preset = "paper_ethusd"\n')
    (place / "wide.toml").write_text(f'preset = "paper_ethusd"\n{WIDER}')
    (place / "later.toml").write_text('preset = "paper_ethusd"\n[simulator]\nstart_time = 1804067200000000000\n')
    (place / "other.toml").write_text('preset = "paper_btcusd"\n')
    for name in ("one", "wide", "later", "other"):
        made = run("run", place / f"{name}.toml", "-q", "--no-journal", "--duration", SECONDS, "--out", place / name)
        assert made.status == 0, made.messages
    return place


def test_a_difference_is_what_one_run_earned_more_over_the_common_time(runs: Path) -> None:
    found = run("compare", runs / "one", runs / "wide", "--block", "20", "--json")
    assert found.status == 0
    (market,) = found.json()["markets"]
    (pair,) = market["pairs"]
    assert (pair["name"], pair["reference"]) == (str(runs / "wide"), str(runs / "one"))
    earned = {}
    for name in ("one", "wide"):
        figures = read_figures(runs / name)
        assert figures is not None
        steps = figures.markets[0].profit_steps
        at = {end: (net, fees) for end, net, fees in zip(steps.end_ms, steps.net, steps.fees, strict=True)}
        begun, ended = at[pair["begin_ms"]], at[pair["end_ms"]]
        earned[name] = (ended[0] - begun[0], ended[1] - begun[1])
    differences = {each["what"]: each["interval"] for each in pair["differences"]}
    assert differences["net"]["value"] == pytest.approx(earned["wide"][0] - earned["one"][0])
    assert differences["fees"]["value"] == pytest.approx(earned["wide"][1] - earned["one"][1])
    assert differences["net"]["lower"] <= differences["net"]["value"] <= differences["net"]["upper"]
    assert (pair["begin_ms"] % 10_000, pair["end_ms"] % 10_000) == (0, 0)
    assert pair["terms"]["seed"] == 0
    assert pair["terms"]["block_seconds"] == 20.0


def test_simulated_markets_of_other_seeds_are_said_to_be_other_markets_above_everything(runs: Path) -> None:
    """Otherwise luck is taken for a better setting."""
    (runs / "seed.toml").write_text('preset = "paper_ethusd"\n[simulator]\nseed = 977\n')
    made = run("run", runs / "seed.toml", "-q", "--no-journal", "--duration", SECONDS, "--out", runs / "seed")
    assert made.status == 0
    found = run("compare", runs / "one", runs / "seed", "--block", "20")
    words = " ".join(found.output.split())
    assert words.startswith("ETH/USD NOT THE SAME MARKET: ")
    assert "simulated, seed 977" in words
    assert "fill models" not in found.messages
    (market,) = run("compare", runs / "one", runs / "seed", "--block", "20", "--json").json()["markets"]
    assert len(market["other_markets"]) == 1
    (market,) = run("compare", runs / "one", runs / "wide", "--block", "20", "--json").json()["markets"]
    assert market["other_markets"] == []


def test_the_same_command_gives_the_same_intervals(runs: Path) -> None:
    first, second = (run("compare", runs / "one", runs / "wide", "--block", "20", "--json").output for _ in range(2))
    assert first == second


def test_fewer_blocks_than_say_anything_are_refused(runs: Path) -> None:
    found = run("compare", runs / "one", runs / "wide")
    assert found.status == 1
    assert "cannot be paired: too short to tell: an interval needs 8 blocks of 300 s" in found.messages


def test_runs_of_other_times_are_refused(runs: Path) -> None:
    found = run("compare", runs / "one", runs / "later", "--block", "20")
    assert found.status == 1
    assert "the runs have no time in common" in found.messages


def test_runs_of_other_markets_are_said_not_paired(runs: Path) -> None:
    found = run("compare", runs / "one", runs / "other", "--block", "20", "--json")
    assert found.status == 1
    assert [market["symbol"] for market in found.json()["markets"]] == ["ETH/USD", "BTC/USD"]
    assert [market["pairs"] for market in found.json()["markets"]] == [[], []]
    assert f"ETH/USD: {runs / 'other'} did not make this market" in found.messages


def test_a_plain_quoter_stands_beside_the_run_on_the_same_market(runs: Path) -> None:
    found = run("report", runs / "one", "--baseline", "-q", "--json")
    assert found.status == 0
    (market,) = found.json()["markets"]
    baseline = market["baseline"]
    figures = baseline["figures"]
    assert figures["market_events"] > 0
    assert figures["begin_ms"] == read_figures(runs / "one").markets[0].begin_ms  # type: ignore[union-attr]
    profit = {name: Decimal(figures["profit"][name]) for name in ("net", "spread_capture", "inventory", "fees")}
    assert profit["net"] == profit["spread_capture"] + profit["inventory"] - profit["fees"]
    kept = read_figures(runs / "one")
    assert kept is not None
    assert kept.markets[0].baseline is not None
    assert len(kept.markets[0].baseline.net_per_step) == len(kept.markets[0].series.time_ms)
    assert json.loads((runs / "one" / "report.json").read_text())["markets"][0]["baseline"]["policy"]


def test_a_live_venue_has_no_baseline(runs: Path, tmp_path: Path) -> None:
    """Its settings name a kind that nobody can play again."""
    place = tmp_path / "run"
    place.mkdir()
    for name in ("report.json", "result.json"):
        (place / name).write_text((runs / "one" / name).read_text())
    found = run("report", place, "--baseline", "-q")
    assert found.status == 2
    assert "settings.toml" in found.messages
