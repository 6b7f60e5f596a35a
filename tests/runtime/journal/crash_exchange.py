"""The paper exchange in a process of its own: it survives the bots that trade on it, and audits what they believe.

One connection at a time, one JSON object to a line. Event time moves only when a bot waits for what comes next, or when
the harness lets time pass while no bot is there.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from mm_fsm.books.facts import Timer
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import Fact, PlaceOrder
from mm_fsm.runtime.journal.messages import MessageCodec
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperExchange, PaperSettings
from mm_fsm.venues.simulator import MarketSimulator, SimulatorSettings

SYMBOL = "ETH/USD"
INSTRUMENT = Instrument(
    symbol=SYMBOL,
    base_currency="ETH",
    quote_currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.0001"),
    minimum_notional=Decimal(5),
)
FEES = Fees(maker_bps=Decimal(1), taker_bps=Decimal(5))
BALANCES = Balances(base=Decimal(10), quote=Decimal(20_000))
RESPONSE_SECONDS = 0.05


class ExchangeServer:
    """The exchange, its market, and its time."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.exchange = PaperExchange(
            INSTRUMENT,
            FEES,
            BALANCES,
            PaperSettings(response_latency_seconds=RESPONSE_SECONDS, history_seconds=1e7, seed=seed),
        )
        self.market: Iterator[MarketEvent] = iter(
            MarketSimulator(
                SimulatorSettings(
                    instrument=INSTRUMENT,
                    seed=seed,
                    start_price=Decimal(2000),
                    level_size=Decimal(1),
                    taker_size=Decimal("0.5"),
                    takers_per_second=2.0,
                    taker_depth_bps=10.0,
                    impact_bps=0.5,
                    duration_seconds=1e7,
                )
            )
        )
        self.event = next(self.market)
        self.now = 0
        self.deaf_until = -1
        self.codec = MessageCodec(SYMBOL)
        self.placed: list[str] = []

    def serve(self, listener: socket.socket) -> None:
        """Take one connection after another until one says that it is over."""
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rw", encoding="utf-8") as lines:
                try:
                    for line in lines:
                        request = json.loads(line)
                        if request["do"] == "end":
                            return
                        answer = getattr(self, f"do_{request.pop('do')}")(**request)
                        lines.write(json.dumps(answer) + "\n")
                        lines.flush()
                except (ConnectionError, json.JSONDecodeError):
                    pass  # the bot was killed in the middle of a line

    def do_hello(self) -> dict[str, Any]:
        """A bot begins. What was on its way to the one before is lost, or arrives late after all."""
        if self.random.random() < 0.7:
            self.deaf_until = self.now + nanoseconds(RESPONSE_SECONDS)
        return {"now": self.now}

    def do_submit(self, intent: str) -> dict[str, Any]:
        """An intent arrives at the exchange's door."""
        for each in self.codec.read_intents(intent):
            if isinstance(each, PlaceOrder):
                self.placed.append(each.client_order_id)
            self.exchange.submit(each, self.now)
        return {}

    def do_next(self, wake_at: int | None) -> dict[str, Any]:
        """Let time run until the bot hears something, or wakes up."""
        while True:
            facts = self._advance(wake_at)
            if facts:
                return {"facts": [self.codec.plain_fact(fact) for fact in facts]}

    def do_pass(self, seconds: float) -> dict[str, Any]:
        """Let time run with nobody there."""
        until = self.now + nanoseconds(seconds)
        while self.now < until:
            self._advance(until)
        return {}

    def do_placed(self) -> dict[str, Any]:
        """Every placement that ever arrived: the venue's own log."""
        return {"placed": self.placed}

    def do_audit(self, position: str, cash: str, trades: list[str]) -> dict[str, Any]:
        """Compare what a reconciled bot believes with what is."""
        found = []
        balances = self.exchange.balances
        for name, theirs, ours in (
            ("position", Decimal(position), balances.base_total),
            ("cash", Decimal(cash), balances.quote_total),
        ):
            if theirs != ours:
                found.append(f"{name} is {ours}, the books say {theirs}")
        known = {fill.trade_id for fill in self.exchange._own_trades}
        if known != set(trades) or len(trades) != len(set(trades)):
            found.append(f"lost {sorted(known - set(trades))[:5]}, invented {sorted(set(trades) - known)[:5]}")
        if self.exchange.open_orders:
            found.append(f"orphans: {[order.client_order_id for order in self.exchange.open_orders]}")
        return {"found": found, "trades": len(known)}

    def _advance(self, wake_at: int | None) -> list[Fact]:
        venue_time = self.exchange.next_time()
        times = [time for time in (venue_time, wake_at) if time is not None]
        if all(self.event.exchange_time <= time for time in times):
            self.now = max(self.now, self.event.exchange_time)
            self.exchange.on_market(self.event)
            self.event = next(self.market)
            return []
        self.now = max(self.now, min(times))
        if venue_time is not None and venue_time <= self.now:
            return [fact for fact in self.exchange.advance(self.now) if self._is_heard(fact)]
        return [Timer(received_at=self.now)]

    def _is_heard(self, fact: Fact) -> bool:
        return isinstance(fact, MarketEvent) or fact.received_at > self.deaf_until
