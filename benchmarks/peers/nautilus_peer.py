"""The same policy as a strategy of NautilusTrader, in floats, on quotes and trades."""

from __future__ import annotations

import gc
import math
from decimal import Decimal
from typing import Any

from job import BINANCE, GEMINI, NANOSECONDS, Job, Stages, answer, binance_messages, gemini_rows, job
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import FillModel, LatencyModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import BTC, ETH, USD, USDT
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

CURRENCIES = {GEMINI: (ETH, USD), BINANCE: (BTC, USDT)}
VENUE = Venue("RECORDED")
IDENTITY = InstrumentId(Symbol("MARKET"), VENUE)
CASH = {GEMINI: (5, 11_000), BINANCE: (1, 100_000)}
"""A cash account cannot be short, so the contract's has a coin and more cash; limits are the policy's own."""


def precision(step: str) -> int:
    """Decimal places of a step."""
    return max(0, -Decimal(step).normalize().as_tuple().exponent)


class Reader:
    """Makes ticks of the recorded files."""

    def __init__(self, task: Job) -> None:
        self._task = task
        self._price = precision(task.policy["tick_size"])
        self._size = precision(task.policy["lot_size"])

    def ticks(self) -> list[Any]:
        """Every quote and trade in order of exchange time, a trade before a quote of the same time."""
        found = self._gemini() if self._task.recording == GEMINI else self._binance()
        return [tick for _, _, tick in sorted(found, key=lambda each: each[:2]) if tick is not None]

    def _gemini(self) -> Any:
        for time, is_trade, row in gemini_rows(self._task):
            if is_trade:
                yield time, 0, self._trade(time, row["price"], row["amount"], row["id"], is_buy=row["side"] == "buy")
            else:
                names = ("bid_price", "ask_price", "bid_amount", "ask_amount")
                yield time, 1, self._quote(time, *(row[name] for name in names))

    def _binance(self) -> Any:
        for time, kind, data in binance_messages(self._task, ("bookTicker", "trade")):
            if kind == "trade":
                yield time, 0, self._trade(time, data["p"], data["q"], str(data["t"]), is_buy=not data["m"])
            else:
                yield time, 1, self._quote(time, data["b"], data["a"], data["B"], data["A"])

    def _trade(self, time: int, price: str, quantity: str, identity: str, *, is_buy: bool) -> TradeTick | None:
        size = Quantity(float(quantity), self._size)
        side = AggressorSide.BUYER if is_buy else AggressorSide.SELLER
        if size == 0:  # smaller than a lot: a trade tick cannot say it
            return None
        return TradeTick(IDENTITY, Price(float(price), self._price), size, side, TradeId(identity), time, time)

    def _quote(self, time: int, bid: str, ask: str, bid_size: str, ask_size: str) -> QuoteTick:
        prices = (Price(float(bid), self._price), Price(float(ask), self._price))
        sizes = (Quantity(float(bid_size), self._size), Quantity(float(ask_size), self._size))
        return QuoteTick(IDENTITY, *prices, *sizes, time, time)


class Ladder(Strategy):
    """The policy."""

    def __init__(self, policy: dict[str, Any]) -> None:
        super().__init__()
        self.policy = policy
        self.tick, self.lot = float(policy["tick_size"]), float(policy["lot_size"])
        self.precisions = (precision(policy["tick_size"]), precision(policy["lot_size"]))
        self.seen = self.placed = self.canceled = self.fills = 0
        self.bid = self.ask = self.mid = 0.0
        self.position = self.cash = self.tolerated_move = 0.0
        self.reference: float | None = None
        self.priced_at = 0
        self.is_dirty = False
        self.live: dict[OrderSide, list[Any]] = {OrderSide.BUY: [], OrderSide.SELL: []}
        self.squares = self.seconds = 0.0
        self.sampled_mid: float | None = None
        self.sampled_at = self.next_sample = self.samples = 0

    def on_start(self) -> None:
        """Subscribe."""
        self.subscribe_quote_ticks(IDENTITY)
        self.subscribe_trade_ticks(IDENTITY)

    def on_trade_tick(self, _tick: TradeTick) -> None:
        """A trade moves nothing."""
        self.seen += 1

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Reprice when it is time or the mid has moved."""
        self.seen += 1
        now = tick.ts_event
        self.bid, self.ask = tick.bid_price.as_double(), tick.ask_price.as_double()
        self.mid = (self.bid + self.ask) / 2
        self.sample(now)
        if self.samples < self.policy["warm_up_samples"]:
            return
        is_old = now >= self.priced_at + self.policy["refresh_seconds"] * NANOSECONDS
        if self.reference is None or is_old or self.is_dirty or abs(self.mid - self.reference) > self.tolerated_move:
            self.reprice(now)

    def sample(self, now: int) -> None:
        """The estimator of volatility: returns over some seconds, weighed down by their age."""
        if now < self.next_sample:
            return
        if self.sampled_mid is not None:
            elapsed = (now - self.sampled_at) / NANOSECONDS
            kept = math.exp(-elapsed * math.log(2) / self.policy["half_life_seconds"])
            self.squares = self.squares * kept + math.log(self.mid / self.sampled_mid) ** 2
            self.seconds = self.seconds * kept + elapsed
            self.samples += 1
        self.sampled_mid, self.sampled_at = self.mid, now
        every = int(self.policy["sample_seconds"] * NANOSECONDS)
        self.next_sample = now - now % every + every

    def reprice(self, now: int) -> None:
        """Cancel what does not fit and place what is missing."""
        policy, mid = self.policy, self.mid
        equity = policy["quote_balance"] + policy["base_balance"] * mid
        limit = min(policy["max_exposure"], policy["max_inventory_pct"] * equity) / mid
        skew = max(-1.0, min(1.0, self.position / limit))
        volatility = math.sqrt(self.squares / self.seconds) * math.sqrt(policy["refresh_seconds"])
        market_bps = (self.ask - self.bid) / mid * 1e4
        base_bps = (
            policy["target_bps"]
            + 1e4 * volatility * policy["volatility_multiplier"]
            + policy["market_spread_share"] * market_bps
        )
        narrowest = math.inf
        for side, sign in ((OrderSide.BUY, 1), (OrderSide.SELL, -1)):
            bps = base_bps + 100 * policy["inventory_factor"] * max(sign * skew, 0.0)
            half = mid * min(max(bps, policy["min_bps"]), policy["max_bps"]) / 2e4
            narrowest = min(narrowest, half)
            self.replace(side, sign, self.levels(sign, half, skew, limit))
        self.is_dirty = False
        self.reference, self.priced_at = mid, now
        self.tolerated_move = max(narrowest * policy["stale_move_share"], self.tick)

    def levels(self, sign: int, half: float, skew: float, limit: float) -> list[tuple[float, float]]:
        """Prices and sizes of one side, innermost first, as far as the limit has room."""
        policy, mid, found = self.policy, self.mid, []
        room = limit - self.position * sign
        shifted = mid * (1 - skew * policy["skew_factor"])
        for level in range(policy["levels"]):
            price = shifted - sign * half * policy["level_multiplier"] ** level
            if sign > 0:
                ticks = min(math.floor(price / self.tick), round(self.ask / self.tick) - 1)
            else:
                ticks = max(math.ceil(price / self.tick), round(self.bid / self.tick) + 1)
            price = ticks * self.tick
            wanted = policy["order_size"] * policy["level_decay"] ** level * (1 - sign * skew / 2) / price
            size = math.floor(min(wanted, room) / self.lot + 1e-9) * self.lot
            if size < policy["min_quantity"] or size * price < policy["min_notional"]:
                break
            room -= size
            found.append((price, size))
        return found

    def replace(self, side: OrderSide, sign: int, wanted: list[tuple[float, float]]) -> None:
        """Bring one side's orders to what is wanted; one that is near enough stays."""
        live = [order for order in self.live[side] if not order.is_closed]
        staying = [order for order in live if not order.is_pending_cancel]
        missing = []
        for price, size in wanted:
            fitting = next((order for order in staying if self.fits(order, sign, price, size)), None)
            if fitting is None:
                missing.append((price, size))
            else:
                staying.remove(fitting)
        for order in staying:
            self.cancel_order(order)
            self.canceled += 1
        for price, size in missing:
            quantity, at = Quantity(size, self.precisions[1]), Price(price, self.precisions[0])
            order = self.order_factory.limit(IDENTITY, side, quantity, at, post_only=True)
            self.submit_order(order)
            live.append(order)
            self.placed += 1
        self.live[side] = live

    def fits(self, order: Any, sign: int, price: float, size: float) -> bool:
        """Whether an order may stay in place of a wanted one."""
        move, distance = price - order.price.as_double(), abs(price - self.mid)
        name = "tolerance_towards" if move * sign > 0 else "tolerance_away"
        share = self.policy["size_tolerance"]
        return abs(move) <= distance * self.policy[name] and size * (
            1 - share
        ) <= order.leaves_qty.as_double() <= size * (1 + share)

    def on_order_filled(self, event: Any) -> None:
        """Book a fill."""
        self.fills += 1
        signed = event.last_qty.as_double() * (1 if event.order_side == OrderSide.BUY else -1)
        self.position += signed
        self.cash -= signed * event.last_px.as_double() + event.commission.as_double()
        self.is_dirty = True

    def on_order_rejected(self, _event: Any) -> None:
        """A post-only order that would have traded: price anew."""
        self.is_dirty = True


def instrument(task: Job) -> CurrencyPair:
    """The market as a currency pair."""
    policy, (base, quote) = task.policy, CURRENCIES[task.recording]
    price, size = precision(policy["tick_size"]), precision(policy["lot_size"])
    steps = (Price(float(policy["tick_size"]), price), Quantity(float(policy["lot_size"]), size))
    fees = {name: Decimal(str(policy[f"{name}_bps"])) / 10_000 for name in ("maker", "taker")}
    return CurrencyPair(
        IDENTITY,
        IDENTITY.symbol,
        base,
        quote,
        price,
        size,
        *steps,
        0,
        0,
        margin_init=Decimal(0),
        margin_maint=Decimal(0),
        maker_fee=fees["maker"],
        taker_fee=fees["taker"],
    )


def engine(task: Job) -> BacktestEngine:
    """The engine with its venue and market."""
    fast = "1000000/00:00:01"
    config = BacktestEngineConfig(
        logging=LoggingConfig(bypass_logging=True),
        run_analysis=False,
        risk_engine=RiskEngineConfig(bypass=False, max_order_submit_rate=fast, max_order_modify_rate=fast),
    )
    made = BacktestEngine(config)
    made.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.CASH,
        [Money(*each) for each in zip(CASH[task.recording], CURRENCIES[task.recording], strict=True)],
        fill_model=FillModel(),
        latency_model=LatencyModel(base_latency_nanos=int(task.policy["latency_seconds"] * NANOSECONDS)),
        trade_execution=True,
    )
    made.add_instrument(instrument(task))
    return made


def main() -> None:
    """Run, and print what it took and what came of it."""
    stages = Stages()
    task = job()
    ticks = Reader(task).ticks()
    stages.end("read")
    ladder, running = Ladder(task.policy), engine(task)
    running.add_data(ticks)
    running.add_strategy(ladder)
    gc.collect()
    stages.end("start_and_imports")
    running.run()
    stages.end("run")
    answer(
        stages,
        events=len(ticks),
        seen=ladder.seen,
        placed=ladder.placed,
        canceled=ladder.canceled,
        fills=ladder.fills,
        pnl=ladder.cash + ladder.position * ladder.mid,
    )
    running.dispose()


if __name__ == "__main__":
    main()
