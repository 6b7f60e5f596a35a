"""One life of a live market maker in a process of its own: the whole run as ``mm-fsm run`` has it."""

from __future__ import annotations

import os
import sys
import time
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from attrs import frozen
from loguru import logger

from mm_fsm.cli.opening import Opening, opened_in_wall_time
from mm_fsm.core.messages import SIDES
from mm_fsm.errors import VenueError
from mm_fsm.report.files import JOURNAL_FILE
from mm_fsm.runtime.pushed_session import PushedSession
from mm_fsm.runtime.session import for_session
from mm_fsm.runtime.settings_file import read_settings
from mm_fsm.testing.rehearsal.endpoint import VARIABLE
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from tests.venues.ccxt_venue.live_stage import QUOTE, base_of

SYMBOLS: Final = ("ETH/USDT", "SOL/USDT")
MOST_LIVE_ORDERS: Final = 8
"""Three levels a side, and what replaces them."""
COULD_NOT_OPEN: Final = 3
"""Exit status of a life that a fault kept from opening."""

MARKET: Final = """
[[market]]
[market.venue]
kind = "ccxt"
exchange = "binance"
factory = "mm_fsm.testing.rehearsal.client:binance_from_environment"
live = true
[market.strategy]
symbol = "{symbol}"
[market.balances]
base = {base}
quote = {quote}
"""
DEFAULTS: Final = f"""
[defaults.account]
max_requests = 3000

[defaults.strategy]
target_spread_bps = 4
min_spread_bps = 2
min_edge_bps = 0
refresh_interval_seconds = 0.5
volatility_sample_seconds = 0.1
warm_up_samples = 3
volatility_half_life_seconds = 10
query_interval_seconds = 0.5
rejection_hold_seconds = 0.5
reconcile_interval_seconds = 5
validity_window_seconds = 10
max_drawdown = 1000000
max_live_orders = {MOST_LIVE_ORDERS}
"""


@frozen
class Place:
    """Where a market maker lives: its settings, its journals, its exchange."""

    directory: Path

    @property
    def settings(self) -> Path:
        return self.directory / "live.toml"

    @property
    def endpoint(self) -> Path:
        return self.directory / "endpoint.json"

    @property
    def state(self) -> Path:
        return self.directory / "state"

    def journal(self, symbol: str) -> Path:
        (found,) = self.state.glob(f"mm-fsm/*/{symbol.replace('/', '-')}/{JOURNAL_FILE}")
        return found

    def write(self, exchange: RehearsalExchange) -> None:
        markets = (MARKET.format(symbol=symbol, base=base_of(symbol), quote=QUOTE) for symbol in SYMBOLS)
        self.settings.write_text(DEFAULTS + "".join(markets), encoding="utf-8")
        exchange.endpoint.save(self.endpoint)


@frozen
class Books:
    """What one market's books say at the end of a life."""

    position: Decimal
    cash: Decimal
    fills: int
    refused_facts: int
    ended_at: int
    """Host time, nanoseconds."""


def lead_life(place: Place, reports: Connection, *, ends: bool) -> None:
    """Make the markets; where it ``ends``, until both are quoted again and nothing is in question."""
    logger.remove()
    os.environ[VARIABLE] = str(place.endpoint)
    os.environ["XDG_STATE_HOME"] = str(place.state)
    configurations = [for_session(each) for each in read_settings(place.settings)]
    opening = Opening(directory=place.directory / "out", has_journal=True)
    try:
        with opened_in_wall_time(configurations, opening) as supervisor:
            for _ in supervisor.run():
                if ends and all(map(is_at_rest, supervisor.sessions)):
                    supervisor.request_stop("the rehearsal ends")
            reports.send({session.symbol: _books(session) for session in supervisor.sessions})
    except VenueError as error:
        reports.send(str(error))
        sys.exit(COULD_NOT_OPEN)


def is_at_rest(session: PushedSession) -> bool:
    """Whether it quotes, and nothing is in question."""
    context = session.machine.context
    quotes = any(context.sides[side].status is None for side in SIDES)
    return quotes and context.reconciliation.is_complete and not any(o.is_unknown for o in context.orders.live())


def _books(session: PushedSession) -> Books:
    context = session.machine.context
    if session.runner.failure is not None or not session.machine.is_final:
        raise RuntimeError(f"{session.symbol} has not ended: {session.runner.failure!r}")
    return Books(context.base_position, context.ledger.cash, context.fill_count, context.refused_facts, time.time_ns())
