"""Runs side by side: each market's figures, and the differences of profit over the time that two runs share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import evolve

from mm_fsm.report.figures import ComparedRun, FillModel, MarketComparison, MarketFigures, PairedRuns, RunFigures
from mm_fsm.report.run_data.bare_figures import without_columns
from mm_fsm.report.run_data.intervals import Blocks, paired

_MARKET: Final = "market"
"""The assumption that says what a run was shown."""


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
    shown = {name: _shown(symbol, runs[name], market) for name, market in found.items()}
    pairs = []
    other_markets: list[str] = []
    for name in names[1:]:
        pair = _pair(name, names[0], found, block_seconds)
        if isinstance(pair, str):
            refused.append(pair)
        else:
            pairs.append(pair)
            refused += _unlike(name, names[0], found)
            other_markets += _other_market(name, names[0], shown)
    return MarketComparison(
        symbol=symbol,
        runs=tuple(ComparedRun(name=name, figures=without_columns(market)) for name, market in found.items()),
        pairs=tuple(pairs),
        refused=tuple(refused),
        other_markets=tuple(other_markets),
    )


def _shown(symbol: str, run: RunFigures, market: MarketFigures) -> tuple[str, str]:
    """What a run was shown: the kind of market with its seed, and its recorded files; empty where it is not known."""
    kind = next((each.value for each in market.fill_model.assumptions if each.name == _MARKET), "")
    return kind, ", ".join(Path(each).name for each in run.reproduction.recordings.get(symbol, ()))


def _other_market(name: str, reference: str, shown: Mapping[str, tuple[str, str]]) -> Sequence[str]:
    """That two runs did not see the same prices, in one sentence; none where they did, or nobody knows."""
    differing = [(one, other) for one, other in zip(shown[name], shown[reference], strict=True) if one != other]
    if not any(one and other for one, other in differing):
        return ()
    seen, expected = (", ".join(filter(None, shown[each])) for each in (name, reference))
    luck = "their difference is luck as much as settings"
    return (f"NOT THE SAME MARKET: {name} was shown {seen}; {reference} {expected}: {luck}",)


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
    if _without_market(run.fill_model) != _without_market(other.fill_model):
        remarks.append(f"{name} and {reference} have other fill models")
    if run.settings.get("fees") != other.settings.get("fees"):
        remarks.append(f"{name} and {reference} pay other fees")
    return remarks


def _without_market(model: FillModel) -> FillModel:
    return evolve(model, assumptions=tuple(each for each in model.assumptions if each.name != _MARKET))
