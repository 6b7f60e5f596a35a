"""What a plain quoter would have made on the same data: symmetric quotes at a fixed spread, blind to the position.

It is as wide as the run was on average. A narrower one would trade more and lose more to those who know more, and a run
beside it would look clever for its width alone.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from attrs import evolve

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.core.decisions import InventoryAssessment, Quote
from mm_fsm.core.messages import Side
from mm_fsm.core.plurals import counted
from mm_fsm.core.settings import FairPrice, MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.report.figures import Baseline, MarketFigures, Series
from mm_fsm.report.run_data.bare_figures import without_columns
from mm_fsm.report.run_data.fill_models import fill_model_of
from mm_fsm.report.run_data.intervals import Blocks, paired
from mm_fsm.report.run_data.market_figures import MarketFacts, market_figures
from mm_fsm.report.run_data.market_follower import MarketFollower
from mm_fsm.report.session_report import outcome_of
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.runtime.session import open_venue
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.services.ladder import Ladder
from mm_fsm.services.pricing.fixed_spreads import FixedSpreadService
from mm_fsm.services.protocols import Services
from mm_fsm.services.registry import load_services
from mm_fsm.venues.paper import PaperAccount
from mm_fsm.venues.recorded.kind import RecordedPlan

_BASIS_POINTS: Final = 10_000.0
_NEVER_LACKING_BPS: Final = 1e9
"""Net markouts never lack so much: nothing widens for losses."""


class SymmetricQuotes(FixedSpreadService):
    """The same spread and the same sizes on both sides, whatever the position. Hard limits hold as for the run."""

    def __init__(self) -> None:
        super().__init__({}, "fixed")

    def levels(
        self, context: MarketMakingContext, inventory: InventoryAssessment, spread_bps: float, side: Side, shift: float
    ) -> tuple[Quote, ...]:
        """Every level of one side, as for a flat book."""
        return Ladder(context, evolve(inventory, skew=0.0), spread_bps, side, shift).quotes()


def mean_spread_bps(series: Series) -> float | None:
    """Between a run's own best quotes, on average over the time in which it had both, bps of the middle between them.

    From the ends of the series' stretches, which are of one length. None: it never had both.
    """
    both = [(bid, ask) for bid, ask in zip(series.bid, series.ask, strict=True) if bid is not None and ask is not None]
    spreads = [(ask - bid) / (bid + ask) * 2 * _BASIS_POINTS for bid, ask in both]
    return math.fsum(spreads) / len(spreads) if spreads else None


def plain_settings(settings: MarketMakingSettings, spread_bps: float) -> MarketMakingSettings:
    """A run's settings without all that follows the market, the position or own fills, with one spread for all time."""
    return evolve(
        settings,
        target_spread_bps=spread_bps,
        max_spread_bps=max(settings.max_spread_bps, spread_bps),
        fair_price=FairPrice.MID,
        micro_price_model="",
        adverse_selection_bps=_NEVER_LACKING_BPS,
        service_options={},
    )


def run_baseline(
    configuration: MarketConfiguration, run: MarketFigures, on_progress: Callable[[float], None] = lambda _: None
) -> Baseline:
    """Make the market again, from the beginning, with the plain policy: same data, fees, fill model and limits.

    It ends where the run ended, so that a run that was interrupted is compared over its own time.

    Args:
        configuration: of the run, with the data that its venue plays.
        run: the run's figures.
        on_progress: told the share of the run's time that is over, 0 to 1.

    Raises:
        SettingsError: the venue is no paper exchange, so that nobody can make the run again.
        RecordingError: the recording is not there any more, or malformed.
    """
    account: Any = configuration.venue
    if not isinstance(account, PaperAccount):
        remedy = "Record the market with mm-fsm record, and compare backtests of the recording."
        raise SettingsError("--baseline", "a run on a simulated or recorded market", configuration.venue_kind, remedy)
    own = mean_spread_bps(run.series)
    wanted = configuration.strategy.target_spread_bps if own is None or own <= 0 else own
    configuration = evolve(configuration, strategy=plain_settings(configuration.strategy, wanted))
    found = _figures_of(configuration, account, run, on_progress)
    against = paired(run.profit_steps, found.profit_steps, Blocks.of(run.inventory, found.inventory))
    return Baseline(
        policy=_in_words(configuration),
        spread_bps=_spread(configuration),
        run_spread_bps=own,
        figures=without_columns(found),
        differences=against.differences,
        terms=against.terms,
        no_interval=against.refused,
        net_per_step=net_at(run.series, found.series),
    )


def _figures_of(
    configuration: MarketConfiguration, account: PaperAccount, run: MarketFigures, on_progress: Callable[[float], None]
) -> MarketFigures:
    """The plain quoter's figures over the run's time."""
    machine = MarketMakingStateMachine(
        configuration.strategy, account.instrument, account.fees, account.balances, _services(configuration)
    )
    follower = MarketFollower(lambda: machine, configuration.programme)
    machine.observe(follower)
    runner = SessionRunner(machine, open_venue(configuration))
    for share in _up_to_the_end_of(run, runner):
        on_progress(share)
    follower.end()
    facts = MarketFacts(
        outcome=outcome_of(machine).value,
        error=machine.result().error,
        market_events=runner.market_events,
        fill_model=fill_model_of(configuration, is_recorded=isinstance(account, RecordedPlan)),
        settings={},
    )
    return market_figures(follower, machine, facts)


def _up_to_the_end_of(run: MarketFigures, runner: SessionRunner) -> Iterator[float]:
    """Make every step that lies within the run's time, yielding the share of that time that is over, 0 to 1."""
    if run.begin_ms is None or run.end_ms is None:
        return
    begin, end = (time * NANOSECONDS_PER_MILLISECOND for time in (run.begin_ms, run.end_ms + 1))
    while not runner.machine.is_final and runner.next_time < end:
        for _ in runner.advance():
            yield min(max((runner.now - begin) / (end - begin), 0.0), 1.0)


def _services(configuration: MarketConfiguration) -> Services:
    """The run's services for orders, inventory and risk, with the plain one for spreads."""
    names = evolve(configuration.strategy.services, spreads="default")
    return evolve(load_services(names, {}), spreads=SymmetricQuotes())


def _spread(configuration: MarketConfiguration) -> float:
    """Of the plain quoter, bps: the wanted one, but no narrower than pays."""
    settings, account = configuration.strategy, configuration.venue
    assert isinstance(account, PaperAccount)  # noqa: S101 - it has run
    return max(settings.target_spread_bps, settings.min_spread_bps, settings.spread_floor_bps(account.fees))


def _in_words(configuration: MarketConfiguration) -> str:
    settings, account = configuration.strategy, configuration.venue
    assert isinstance(account, PaperAccount)  # noqa: S101 - it has run
    levels, width = settings.num_price_levels, _spread(configuration)
    return (
        f"{counted(levels, 'level')} on each side of the middle, the innermost "
        f"{width:.4g} bps apart and {settings.base_order_size:f} {account.instrument.quote_currency} in size; spread "
        "and sizes never change, whatever volatility, position or losses; limits, fees and fill model are the run's; "
        "it is followed to where the run ended, and what it holds then counts at the middle"
    )


def net_at(run: Series, other: Series) -> tuple[float, ...]:
    """The other's net profit at the end of each stretch of the run's series; 0 before the other begins."""
    ends = [begin + other.bucket_seconds * 1000 for begin in other.time_ms]
    return tuple(_net_before(ends, other.net, begin + run.bucket_seconds * 1000) for begin in run.time_ms)


def _net_before(ends: Sequence[float], net: Sequence[float], time: float) -> float:
    place = bisect_right(ends, time)
    return net[place - 1] if place else 0.0
