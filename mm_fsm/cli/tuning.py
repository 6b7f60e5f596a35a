"""``tune``: search settings on a recording, and say what the search is worth where it did not look."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from mm_fsm.cli.backtesting import configuration_for, settings_to_write
from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.options import RecordingOptions
from mm_fsm.cli.recordings import described, opened_for, reading_of, recorded_files
from mm_fsm.core.clock import nanoseconds
from mm_fsm.errors import OptionError
from mm_fsm.estimators.bootstrap import Interval
from mm_fsm.search.space import as_toml, parse_dimension
from mm_fsm.search.tuning import Search, cluster_runs, local_runs
from mm_fsm.search.walk_forward import MarketSource, WalkForward, periods, walk_forward
from mm_fsm.venues.base import time_of

_DAY, _HOUR = 86_400.0, 3_600.0
_FEWEST_DAYS = 3


@frozen(kw_only=True)
class TuneOptions:
    """How to search."""

    searched: Sequence[str]
    trials: int
    period_seconds: float | None
    processes: int
    batch: int | None
    """None for as many as there are processes."""
    ray: str | None
    seed: int
    as_json: bool


def run_tune(given: RecordingOptions, options: TuneOptions, *, settings: Path | None, preset: str | None) -> int:
    """Search, judge and print; the exit status.

    Raises:
        MarketMakerError: settings, what is searched or a recording are refused.
    """
    if not options.searched:
        raise OptionError("--set", "at least one setting", "none", "Give --set target_spread_bps=10:40, say.")
    if options.trials < 1:
        raise OptionError("--trials", "at least 1", options.trials, "Correct it.")
    search = Search(
        dimensions=tuple(parse_dimension(text) for text in options.searched),
        trials=options.trials,
        batch=options.batch or options.processes,
        seed=options.seed,
    )
    files_by_market = recorded_files(given, "tune")
    if len(files_by_market) > 1:
        raise OptionError("--symbol", "one market", len(files_by_market), "Name the one to tune.")
    ((symbol, files),) = files_by_market.items()
    info = described(files, given, symbol)
    configuration = configuration_for(info, settings, preset)
    if configuration is None:
        print_message(settings_to_write(info))
        return ExitCode.BAD_INPUT
    source = MarketSource(
        files=tuple(str(file.resolve()) for file in files),
        recorded_symbol=info.symbol,
        symbol=configuration.symbol,
        preset=configuration.preset,
        settings_file=None if settings is None else str(settings.resolve()),
        reading=reading_of(given, configuration.reading),
    )
    begin = end = 0
    for event in opened_for(files, given, info, configuration.reading, configuration.symbol):
        end = time_of(event)
        begin = begin or end
    spans = periods(begin, end + 1, _length(options.period_seconds, end - begin))
    runs = local_runs(options.processes) if options.ray is None else cluster_runs(options.ray)
    with runs as run:
        found = walk_forward(source, spans, search.choose, run, seed=options.seed)
    tried = options.trials * len(found.folds)
    text = json.dumps(_plain(found, tried), indent=2) if options.as_json else "\n".join(_lines(found, tried))
    result_console().out(text, highlight=False)
    return ExitCode.SUCCESS


def _length(asked: float | None, span: int) -> int:
    """Nanoseconds of a period: days where there are some, else hours."""
    if asked is not None:
        return nanoseconds(asked)
    return nanoseconds(_DAY if span >= _FEWEST_DAYS * nanoseconds(_DAY) else _HOUR)


def _lines(found: WalkForward, tried: int) -> Iterator[str]:
    for number, fold in enumerate(found.folds, start=1):
        values = ", ".join(as_toml(fold.values)) or "as they were"
        yield (
            f"period {number}: {values}; searched {fold.searched_net:+.2f}, "
            f"then {fold.chosen.net:+.2f} against {fold.unchanged.net:+.2f} unchanged"
        )
    yield f"{tried} trials over {len(found.folds)} periods; out of sample, quote currency, 95 % intervals:"
    yield f"  chosen      {_spelled(found.net)}"
    yield f"  unchanged   {_spelled(found.unchanged_net)}"
    yield f"  difference  {_spelled(found.difference)}"
    yield found.verdict
    if found.is_improvement:
        yield "[strategy]  # as chosen on the last period but one"
        yield from as_toml(found.folds[-1].values)


def _spelled(interval: Interval) -> str:
    return f"{interval.value:+.2f} ({interval.lower:+.2f} to {interval.upper:+.2f})"


def _plain(found: WalkForward, tried: int) -> dict[str, Any]:
    def interval(value: Interval) -> dict[str, Any]:
        return {"value": value.value, "interval": [value.lower, value.upper]}

    return {
        "trials": tried,
        "out_of_sample": interval(found.net),
        "unchanged": interval(found.unchanged_net),
        "difference": interval(found.difference),
        "is_improvement": found.is_improvement,
        "verdict": found.verdict,
        "periods": [
            {
                "begin": fold.begin,
                "end": fold.end,
                "values": dict(fold.values),
                "searched_net": fold.searched_net,
                "net": fold.chosen.net,
                "unchanged_net": fold.unchanged.net,
            }
            for fold in found.folds
        ],
    }
