"""The figures of a run: everything that its report shows, with units, formulas and sources. Values only.

``RunFigures.entry()`` is what ``report.json`` holds and what the page is made of. There exact decimals (``Decimal``
here) are texts with every digit, floats and counts are numbers, and what is not known is null; nothing is NaN.

Money is quote currency, prices quote per base, quantities contracts, positions base units. Times (``_ms``) are whole
milliseconds since 1970, UTC, of the facts: a browser holds them without loss. The tables beside the report have
nanoseconds. m is the ledger's reference price, the middle of the last sound book.

A new figure is added in these places:

1. Here: a field with its unit, formula and source. ``FORMAT`` of ``whole_run`` counts up, and the digest of all fields
   beside it in ``tests/report/run_data/test_figures_format.py`` changes.
2. ``run_data``: a clock or log that ``market_follower`` feeds gathers it, and ``market_figures`` puts it in. A sum of
   the books' whole life goes into ``books_at_begin``, so that earlier processes' part is subtracted. What a replay
   cannot know is None.
3. ``run_page``: ``market.html.jinja`` shows it, from rows or facts that the modules there make; columns to draw are
   packed by ``page_data``.
4. ``docs/report.md``: what it is, with its unit. ``tests/report/run_data/test_figures_recomputed.py`` computes it anew.
"""

from mm_fsm.report.figures.chart_use import ChartBudget, EdgeFigures, Machine, RequestBudgetFigures, StateFigures
from mm_fsm.report.figures.markout_rows import MarkoutRow, Markouts
from mm_fsm.report.figures.money import BootstrapInterval, BootstrapTerms, Drawdown, Profit, ProfitSteps
from mm_fsm.report.figures.over_time import Fills, Inventory, Series
from mm_fsm.report.figures.quoting import (
    Holds,
    HoldsOverTime,
    HoldTotal,
    Orders,
    Presence,
    Programme,
    QuoteLife,
    Stretches,
)
from mm_fsm.report.figures.whole_run import (
    Assumption,
    Baseline,
    ComparedRun,
    FillModel,
    MarketComparison,
    MarketFigures,
    PairedDifference,
    PairedRuns,
    Reproduction,
    RunFigures,
)

__all__ = [
    "Assumption",
    "Baseline",
    "BootstrapInterval",
    "BootstrapTerms",
    "ChartBudget",
    "ComparedRun",
    "Drawdown",
    "EdgeFigures",
    "FillModel",
    "Fills",
    "HoldTotal",
    "Holds",
    "HoldsOverTime",
    "Inventory",
    "Machine",
    "MarketComparison",
    "MarketFigures",
    "MarkoutRow",
    "Markouts",
    "Orders",
    "PairedDifference",
    "PairedRuns",
    "Presence",
    "Profit",
    "ProfitSteps",
    "Programme",
    "QuoteLife",
    "Reproduction",
    "RequestBudgetFigures",
    "RunFigures",
    "Series",
    "StateFigures",
    "Stretches",
]
