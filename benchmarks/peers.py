"""The same recordings and the same policy on this machine, on NautilusTrader, on FastMM and on hftbacktest.

Each peer has an environment of its own, made once from its pinned requirements (benchmarks/peers/requirements) in a
cache directory. A round runs every one of them once, each in a process of its own; rounds are interleaved, so that a
change of the machine's pace meets all. Figures are processor seconds, threads included, medians of the rounds: reading
(from the recorded files to what the engine takes) and running, without interpreter start, imports, compiling and
building the engine, which are shown apart. A ratio is this project's time over the peer's, the median of the rounds.

    python benchmarks/peers.py
    python benchmarks/peers.py --events 10000 --recording gemini --rounds 5 --json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mm_fsm.runtime.settings_file import read_preset

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
FINDER = HERE.parent / ".ci" / "pythons"
DATA = Path(os.environ.get("MM_FSM_DATA") or HERE.parents[1] / "shared" / "data")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mm-fsm-peers"
OURS = "mm-fsm"
PEER_PYTHON = "3.12"
"""Every peer has wheels for it, with one set of pins."""
RECORDINGS = {
    "gemini": ("gemini_ethusd", "gemini_ethusd", "*.csv.gz"),
    "binance": ("binance_usdm_btcusdt", "binance_usdm_btcusdt", "*.gz"),
}
"""Preset, directory below the data, files."""
SCRIPTS = {
    OURS: ("ours.py", None),
    "nautilus": ("nautilus_peer.py", "nautilus.txt"),
    "fastmm": ("fastmm_peer.py", "fastmm.txt"),
    "hftbacktest": ("hftbacktest_peer.py", "hftbacktest.txt"),
}
"""Script and requirements of each."""
DIFFERS = {
    OURS: "exact decimals; latency on requests, answers and market data; a venue that must be asked; reconciliation, "
    "risk checks, adverse selection and fill rate in the spread; an order is placed once the one it replaces is gone",
    "nautilus": "a compiled engine, floats in the strategy; latency on requests only; cash account; no reconciliation, "
    "adverse selection or fill rate in the spread; replacements are placed at once",
    "fastmm": "a C++ engine, a compiled strategy, floats; depth of 250 levels where there is any; what an order may be "
    "off is fixed in ticks; adverse selection and fill rate are left out; seen is the engine's own count",
    "hftbacktest": "a compiled loop, floats; depth and trades; constant latency; risk-averse queue; adverse selection "
    "and fill rate are left out; its converters read the capture only",
}
NOT_COUNTED = ("start_and_imports", "compiling")
"""Stages that are shown apart."""


def policy_of(preset: str) -> dict[str, Any]:
    """The policy's numbers from this project's own settings, so that the peers follow when these change."""
    configuration = read_preset(preset)
    settings, venue = configuration.strategy, configuration.venue
    instrument, exchange = venue.instrument, venue.exchange
    innermost = max(settings.target_spread_bps, settings.min_spread_bps) / 2e4 * float(venue.simulator.start_price)
    return {
        "preset": preset,
        "tick_size": str(instrument.tick_size),
        "lot_size": str(instrument.lot_size),
        "min_quantity": float(max(instrument.minimum_quantity, instrument.lot_size)),
        "min_notional": float(instrument.minimum_notional),
        "maker_bps": float(venue.fees.maker_bps),
        "taker_bps": float(venue.fees.taker_bps),
        "base_balance": float(venue.balances.base),
        "quote_balance": float(venue.balances.quote),
        "latency_seconds": exchange.order_latency_seconds,
        "jitter_seconds": exchange.latency_jitter_seconds,
        "target_bps": settings.target_spread_bps,
        "min_bps": max(settings.min_spread_bps, settings.spread_floor_bps(venue.fees)),
        "max_bps": settings.max_spread_bps,
        "volatility_multiplier": settings.volatility_multiplier,
        "market_spread_share": settings.market_spread_share,
        "inventory_factor": settings.inventory_adjustment_factor,
        "skew_factor": settings.skew_price_factor,
        "order_size": float(settings.base_order_size),
        "levels": settings.num_price_levels,
        "level_decay": settings.level_size_decay,
        "level_multiplier": settings.level_spread_multiplier,
        "max_inventory_pct": settings.max_inventory_pct,
        "max_exposure": float(settings.max_quote_exposure),
        "max_drawdown": float(settings.max_drawdown),
        "refresh_seconds": settings.refresh_interval_seconds,
        "stale_move_share": settings.stale_move_share,
        "tolerance_away": settings.requote_tolerance_away_share,
        "tolerance_towards": settings.requote_tolerance_towards_share,
        "size_tolerance": settings.size_tolerance_share,
        "half_life_seconds": settings.volatility_half_life_seconds,
        "sample_seconds": settings.volatility_sample_seconds,
        "warm_up_samples": settings.warm_up_samples,
        "fixed_tolerance_ticks": round(settings.requote_tolerance_away_share * innermost / float(instrument.tick_size)),
    }


def environment(name: str, cache: Path, python: str | None) -> Path:
    """The interpreter for one of them, its environment made if it is missing or pinned otherwise."""
    requirements = SCRIPTS[name][1]
    if requirements is None:
        return Path(sys.executable)
    pins = PEERS / "requirements" / requirements
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    directory = cache / f"{name}-{digest}"
    interpreter = directory / "bin" / "python"
    if not (directory / ".ready").exists():
        print(f"making an environment for {name} in {directory} (once)", file=sys.stderr)
        subprocess.run([python or peer_python(), "-m", "venv", "--clear", str(directory)], check=True)
        pip = [str(interpreter), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--requirement", str(pins)], check=True, stdout=sys.stderr)
        (directory / ".ready").touch()
    return interpreter


def peer_python() -> str:
    """The Python that the peers' pins are for."""
    found = subprocess.run([str(FINDER)], check=True, capture_output=True, text=True).stdout
    for line in found.splitlines():
        version, path = line.split("\t")
        if version.startswith(f"{PEER_PYTHON}."):
            return path
    raise SystemExit(f"the peers need Python {PEER_PYTHON}, found {found.split()[::2]}; name one with --python")


def run_once(name: str, interpreter: Path, task: Mapping[str, Any]) -> dict[str, Any]:
    """One process of one of them."""
    command = [str(interpreter), str(PEERS / SCRIPTS[name][0]), json.dumps(task)]
    with tempfile.TemporaryDirectory() as scratch:
        command[-1] = json.dumps({**task, "scratch": scratch})
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"{name} on {task['recording']} failed:\n{finished.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    seconds = answer["seconds"]
    answer["total"] = sum(value for stage, value in seconds.items() if stage not in NOT_COUNTED)
    return answer


def compare(
    recording: str, interpreters: Mapping[str, Path], rounds: int, events: int | None
) -> dict[str, list[dict[str, Any]]]:
    """The answers of every one of them, by round."""
    preset, directory, files = RECORDINGS[recording]
    task: dict[str, Any] = {
        "recording": recording,
        "files": sorted(map(str, (DATA / directory).glob(files))),
        "policy": policy_of(preset),
        "events": events,
        "until": None,
    }
    if not task["files"]:
        raise SystemExit(f"no recording in {DATA / directory}; name the data's directory in MM_FSM_DATA")
    answers: dict[str, list[dict[str, Any]]] = {}
    for number in range(rounds):
        for name, interpreter in interpreters.items():
            if name == "hftbacktest" and recording != "binance":
                continue
            print(f"{recording}, round {number + 1} of {rounds}: {name}", file=sys.stderr)
            answer = run_once(name, interpreter, task)
            answers.setdefault(name, []).append(answer)
            if name == OURS and events is not None:
                task["until"] = answer["until"]  # the others end at the same time
    return answers


def summary(answers: Mapping[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Medians and ratios; a rate counts what the strategy saw, nothing else."""
    found: dict[str, dict[str, Any]] = {}
    for name, runs in answers.items():
        first, total = runs[0], statistics.median(run["total"] for run in runs)
        stages = {stage: statistics.median(run["seconds"][stage] for run in runs) for stage in first["seconds"]}
        found[name] = {
            "seconds": round(total, 3),
            "stages": {stage: round(value, 3) for stage, value in stages.items()},
            "ours_over_it": round(ratio(answers[OURS], runs, lambda run: run["total"]), 3),
            "ours_over_it_running_alone": round(ratio(answers[OURS], runs, lambda run: run["seconds"]["run"]), 3),
            "events": first["events"],
            "seen": first["seen"],
            "seen_a_second": round(first["seen"] / total),
            **{figure: first[figure] for figure in ("placed", "canceled", "fills")},
            "pnl": round(first["pnl"], 2),
            "python": first["python"],
            "differs": DIFFERS[name],
        }
    return found


def ratio(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], of: Any) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(of(one) / of(other) for one, other in zip(ours, theirs, strict=True))


def show(recording: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Print one recording's table."""
    print(f"\n{recording}: processor seconds, reading included; ratio: {OURS} over it")
    head = ("", "seconds", "ratio", "reading", "running", "apart", "events", "seen", "placed", "fills", "PnL")
    print("".join(f"{name:>{12 if place == 0 else 9}}" for place, name in enumerate(head)))
    for name, each in found.items():
        stages = each["stages"]
        apart = sum(value for stage, value in stages.items() if stage in NOT_COUNTED)
        values = (each["seconds"], each["ours_over_it"], stages["read"], stages["run"], apart)
        counts = (each["events"], each["seen"], each["placed"], each["fills"])
        row = "".join(f"{value:9.2f}" for value in values) + "".join(f"{count:9d}" for count in counts)
        print(f"{name:>12}{row}{each['pnl']:9.2f}")
    for name, each in found.items():
        print(f"{name} (Python {each['python']}): {each['differs']}.")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--events", type=int, metavar="N", help="the first of each recording; all otherwise")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recording", action="append", choices=RECORDINGS, help="again for more; else all")
    parser.add_argument("--peer", action="append", choices=[name for name in SCRIPTS if name != OURS], help="else all")
    parser.add_argument("--alone", action="store_true", help="this project alone, without any peer")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help="where environments are made")
    parser.add_argument("--python", metavar="PATH", help=f"makes the environments; a Python {PEER_PYTHON}")
    options = parser.parse_args()
    names = [OURS, *([] if options.alone else options.peer or [name for name in SCRIPTS if name != OURS])]
    interpreters = {name: environment(name, options.cache, options.python) for name in names}
    found = {
        recording: summary(compare(recording, interpreters, options.rounds, options.events))
        for recording in options.recording or RECORDINGS
    }
    if options.json:
        print(json.dumps({"rounds": options.rounds, "recordings": found}, indent=2))
    else:
        for recording, each in found.items():
            show(recording, each)
    return 0


if __name__ == "__main__":
    sys.exit(main())
