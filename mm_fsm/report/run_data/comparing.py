"""Runs side by side: each market's figures, and the differences of profit over the time that two runs share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mm_fsm.report.figures import ComparedRun, MarketComparison, MarketFigures, PairedRuns, RunFigures
from mm_fsm.report.run_data.bare_figures import without_columns
from mm_fsm.report.run_data.intervals import Blocks, paired


def compared(runs: Mapping[str, RunFigures], block_seconds: float | None = None) -> list[MarketComparison]:
    """One comparison for each market of any run, every later run against the first one that has the market.

    Args:
        runs: by name, at least two; the first one is the reference.
        block_seconds: of the bootstrap; None for as long as the runs' positions ask for.
    """
    symbols = dict.fromkeys(market.symbol for run in runs.values() for market in run.markets)
    return [_comparison(symbol, runs, block_seconds) for symbol in symbols]


def _comparison(symbol: str, runs: Mapping[str, RunFigures], block_seconds: float | None) -> MarketComparison:
    found = {name: market for name, run in runs.items() for market in run.markets if market.symbol == symbol}
    refused = [f"{name} did not make this market" for name in runs if name not in found]
    names = list(found)
    pairs = []
    for name in names[1:]:
        pair = _pair(name, names[0], found, block_seconds)
        if isinstance(pair, str):
            refused.append(pair)
        else:
            pairs.append(pair)
            refused += _unlike(name, names[0], found)
    return MarketComparison(
        symbol=symbol,
        runs=tuple(ComparedRun(name=name, figures=without_columns(market)) for name, market in found.items()),
        pairs=tuple(pairs),
        refused=tuple(refused),
    )


def _pair(
    name: str, reference: str, found: Mapping[str, MarketFigures], block_seconds: float | None
) -> PairedRuns | str:
    run, other = found[name], found[reference]
    inventories = run.inventory, other.inventory
    blocks = Blocks.of(*inventories) if block_seconds is None else Blocks.exactly(block_seconds, *inventories)
    against = paired(run.profit_steps, other.profit_steps, blocks)
    if against.terms is None:
        return f"{name} and {reference} cannot be paired: {against.refused}"
    return PairedRuns(
        name=name,
        reference=reference,
        begin_ms=against.begin_ms,
        end_ms=against.end_ms,
        differences=against.differences,
        terms=against.terms,
    )


def _unlike(name: str, reference: str, found: Mapping[str, MarketFigures]) -> Sequence[str]:
    """What a reader must know before believing a difference."""
    run, other = found[name], found[reference]
    remarks = []
    if (run.begin_ms, run.end_ms) != (other.begin_ms, other.end_ms):
        remarks.append(f"{name} and {reference} do not begin and end together: only their common time is compared")
    if run.fill_model != other.fill_model:
        remarks.append(f"{name} and {reference} have other fill models, or other data")
    if run.settings.get("fees") != other.settings.get("fees"):
        remarks.append(f"{name} and {reference} pay other fees")
    return remarks
