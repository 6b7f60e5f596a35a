"""A bench for one market maker: it speaks for the market, the venue and the clock, one fact at a time.

Nothing happens unless it is asked for: requests of the machine wait in ``outstanding`` until ``answer`` carries them
out at a venue that keeps every order as it really stands. So a machine can be brought into any state and held there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from attrs import evolve

from mm_fsm.chart import EdgeDefinition
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, nanoseconds
from mm_fsm.core.context import MarketMakingContext
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import (
    BookLevel,
    CancelRefused,
    ConnectionRestored,
    ExternalFlow,
    Fact,
    Heartbeat,
    Intent,
    JournalFailed,
    MarketBook,
    OrderFilled,
    OutcomeUnknown,
    OwnTradesReported,
    RejectionCode,
    RequestKind,
    Side,
    StopRequested,
    Timer,
    TradingStatusChanged,
)
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult, TransitionRecord
from mm_fsm.services.protocols import Services
from mm_fsm.services.registry import load_services
from mm_fsm.testing.scripted import ServiceScript
from mm_fsm.testing.traps import Trap, Traps
from mm_fsm.testing.venue import HarnessVenue

SYMBOL: Final = "BTC/USD"
START: Final = 1_700_000_000_000_000_000
"""When a harness begins, nanoseconds."""

INSTRUMENT: Final = Instrument(
    symbol=SYMBOL,
    base_currency="BTC",
    quote_currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
    minimum_quantity=Decimal("0.01"),
    minimum_notional=Decimal(5),
)
FEES: Final = Fees(maker_bps=Decimal(1), taker_bps=Decimal(5))
BALANCES: Final = Balances(base=Decimal(100), quote=Decimal(10_000))

Invariant = Callable[["MachineHarness", StepResult], None]
"""Looks at a machine after a step; raises AssertionError where something does not hold."""


def quick_settings(**changes: Any) -> MarketMakingSettings:
    """Settings under which a machine quotes after three books and each deadline can be passed alone.

    One level a side; data is stale after 3 s, requests are given up after 20 s, quotes are repriced after 60 s.
    """
    values: dict[str, Any] = {
        "symbol": SYMBOL,
        "num_price_levels": 1,
        "volatility_sample_seconds": 1.0,
        "warm_up_samples": 2,
        "stale_data_seconds": 3.0,
        "request_timeout_seconds": 20.0,
        "refresh_interval_seconds": 60.0,
        "adjustment_retry_seconds": 1.0,
    }
    return MarketMakingSettings(**(values | changes))


class MachineHarness(MachineObserver):
    """One machine, its venue, and its time.

    Args:
        machine: the class under test.
        settings: by default ``quick_settings()``.
        instrument: by default a spot pair of 100 USD with a tick of one cent.
        fees: by default 1 and 5 bps.
        balances: by default 100 BTC and 10,000 USD.
        services: what the machine uses, behind ``script``; by default what the settings name.
        invariants: what is looked at after every step.
    """

    def __init__(
        self,
        machine: type[QuotingMachine] = MarketMakingStateMachine,
        settings: MarketMakingSettings | None = None,
        *,
        instrument: Instrument = INSTRUMENT,
        fees: Fees = FEES,
        balances: Balances = BALANCES,
        services: Services | None = None,
        invariants: Iterable[Invariant] = (),
    ) -> None:
        settings = settings or quick_settings(symbol=instrument.symbol)
        self.script = ServiceScript(services or load_services(settings.services))
        self.traps = Traps()
        self.machine = self.traps.build(machine, settings, instrument, fees, balances, self.script.services)
        self.machine.observe(self)
        self.venue = HarnessVenue(instrument, fees, balances)
        self.now = START
        self.mid = Decimal(100)
        """Where ``show_book`` last put the market, quote per base."""
        self.outstanding: deque[Intent] = deque()
        """What the machine has asked for and nobody has answered yet."""
        self.results: list[StepResult] = []
        self.facts: list[Fact] = []
        """Every fact that was told."""
        self.taken: list[TransitionRecord] = []
        """Every transition, also those of a step that has not ended."""
        self.on_arrival: Callable[[str], None] | None = None
        """Called with each state while the machine is in it, at rest or not."""
        self._invariants = tuple(invariants)
        self._told_base, self._told_quote = balances.base, balances.quote
        self._told_trades: set[str] = set()

    # -- looking ----------------------------------------------------------------------------------------------------

    @property
    def context(self) -> MarketMakingContext:
        """What the machine knows."""
        return self.machine.context

    @property
    def state(self) -> str:
        """The state the machine is in."""
        return self.machine.chart_state

    @property
    def last(self) -> StepResult:
        """The last step's result."""
        return self.results[-1]

    def sent(self, kind: type[Intent], since: int = 0) -> list[Any]:
        """Intents of one kind, from step ``since`` on."""
        return [intent for result in self.results[since:] for intent in result.intents if isinstance(intent, kind)]

    def order_ids(self, side: Side | None = None) -> list[str]:
        """Live orders, oldest first."""
        return [order.client_order_id for order in self.context.orders.live(side)]

    def snapshot(self) -> tuple[object, ...]:
        """Everything that something without effect may not change: state, books, what was sent, what was asked."""
        return (
            self.state,
            self.context.digest(),
            repr(self.context),
            self.machine.sequence,
            tuple(self.taken),
            tuple(self.results),
            tuple(self.outstanding),
            dict(self.script.calls),
        )

    def told_account(self) -> tuple[Decimal, Decimal]:
        """Base units and quote currency after every trade and flow that the machine has been told of."""
        return self._told_base, self._told_quote

    def _account_for(self, fact: Fact) -> None:
        if isinstance(fact, ExternalFlow):
            self._told_base += fact.base
            self._told_quote += fact.quote
        for fill in fact.fills if isinstance(fact, OwnTradesReported) else (fact,):
            if isinstance(fill, OrderFilled) and fill.side is not None and fill.trade_id not in self._told_trades:
                self._told_trades.add(fill.trade_id)
                bought = fill.quantity * self.context.instrument.contract_size * fill.side.sign
                self._told_base += bought
                self._told_quote -= bought * fill.price + fill.fee

    def transition_began(self, state: str, event: str) -> None:
        """The engine is about to be called."""
        self.traps.event = event

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        """The machine's word on each transition."""
        self.traps.event = None
        self.taken.append(transition)
        if self.on_arrival is not None:
            self.on_arrival(transition.target)

    # -- what the real driver asks ----------------------------------------------------------------------------------

    def answer_of(self, guard: str) -> bool | None:
        """What a guard would answer now; None where it would raise."""
        try:
            return bool(getattr(type(self.machine), guard)(self.machine))
        except Exception:  # noqa: BLE001 - a guard may be asked where it makes no sense
            return None

    def arrange(self, edge: EdgeDefinition) -> None:
        """Let a guard raise in the state whose fault edge is to be taken."""
        if edge.event == self.machine.chart_fault_event:
            self.traps.set(Trap(state=edge.source, between_transitions=True))

    def fire(self, edge: EdgeDefinition) -> None:
        """Send the command that the edge is; where it is none, a timer that brings nothing new."""
        if edge.event == "stop":
            self.stop()
            return
        self.arrange(edge)
        self.nudge()

    def send_past(self, event: str) -> None:
        """Send an event to the engine, past ``step``: what nothing in the library ever does."""
        self.machine.engine.send(event)

    # -- telling ----------------------------------------------------------------------------------------------------

    def tell(self, fact: Fact) -> StepResult:
        """One step. What the machine asks for waits in ``outstanding``.

        Raises:
            FactRefusedError: the fact is malformed or impossible.
            AssertionError: an invariant does not hold.
        """
        result = self.machine.step(fact)
        self.now = max(self.now, fact.received_at)
        self.facts.append(fact)
        self._account_for(fact)
        self.results.append(result)
        self.venue.note(result.intents)
        self.outstanding.extend(result.intents)
        for invariant in self._invariants:
            invariant(self, result)
        return result

    def nudge(self) -> StepResult:
        """A timer that brings nothing new."""
        return self.tell(Timer(received_at=self.now))

    # -- time and market --------------------------------------------------------------------------------------------

    def later(self, seconds: float) -> int:
        """Let time pass; nobody is told. The time it is then, nanoseconds."""
        self.now += nanoseconds(seconds)
        return self.now

    def wait(self, seconds: float) -> StepResult:
        """Let time pass, and send one timer at its end."""
        return self.tell(Timer(received_at=self.later(seconds)))

    def wake(self) -> StepResult:
        """Send the timer that the last step asked for; one for now where it asked for none."""
        wake_at = self.results[-1].wake_at if self.results else None
        return self.tell(Timer(received_at=self.now if wake_at is None else max(wake_at, self.now)))

    def show_book(self, move: int = 0, *, half_spread: int = 1, bids: bool = True, asks: bool = True) -> StepResult:
        """Show a book of two levels a side whose mid moved by some ticks."""
        tick = self.context.instrument.tick_size
        self.mid = self.venue.mark = max(self.mid + move * tick, (half_spread + 2) * tick)
        levels = {
            side: tuple(BookLevel(self.mid - side.sign * (half_spread + i) * tick, Decimal(50)) for i in range(2))
            for side in Side
        }
        return self.tell(
            MarketBook(
                received_at=self.now,
                symbol=self.context.settings.symbol,
                bids=levels[Side.BID] if bids else (),
                asks=levels[Side.ASK] if asks else (),
                exchange_time=self.now,
            )
        )

    def beat(self) -> StepResult:
        """The feed is alive and the last book still stands."""
        return self.tell(Heartbeat(received_at=self.now, symbol=self.context.settings.symbol))

    def set_trading(self, *, is_open: bool) -> StepResult:
        """The venue opens or halts the market."""
        fact = TradingStatusChanged(received_at=self.now, symbol=self.context.settings.symbol, trading=is_open)
        return self.tell(fact)

    def reconnect(self) -> StepResult:
        """The connection was lost and is back: nothing that was known can be trusted."""
        return self.tell(ConnectionRestored(received_at=self.now, symbol=self.context.settings.symbol, reason="lost"))

    # -- answers ----------------------------------------------------------------------------------------------------

    def answer(self, count: int | None = None) -> None:
        """Carry out what was asked for first, and tell the machine what came of it, a millisecond later.

        Args:
            count: how many requests; by default those outstanding now, not what the answers lead to.
        """
        for _ in range(len(self.outstanding) if count is None else min(count, len(self.outstanding))):
            self.now += NANOSECONDS_PER_MILLISECOND
            for fact in self.venue.answer(self.outstanding.popleft(), self.now):
                self.tell(fact)

    def answer_only(self, *kinds: type[Intent]) -> None:
        """Answer outstanding requests of some kinds; the others go on waiting."""
        waiting = [intent for intent in self.outstanding if not isinstance(intent, kinds)]
        self.outstanding = deque(intent for intent in self.outstanding if isinstance(intent, kinds))
        chosen = len(self.outstanding)
        self.outstanding.extend(waiting)
        self.answer(chosen)

    def drop(self, count: int = 1) -> None:
        """Lose requests on their way: they never reach the venue."""
        for _ in range(min(count, len(self.outstanding))):
            self.outstanding.popleft()

    # -- orders -----------------------------------------------------------------------------------------------------

    def fill(self, order_id: str, share: Decimal = Decimal(1)) -> StepResult:
        """Let a share of what remains of an order trade, at least a lot, and tell the machine."""
        remaining = self.venue.orders[order_id].remaining
        lot = self.context.instrument.lot_size
        quantity = min(max(remaining * share // lot * lot, lot), remaining)
        return self.tell(self.venue.trade(order_id, self.now, quantity))

    def reject(self, order_id: str, code: RejectionCode = RejectionCode.POST_ONLY) -> StepResult:
        """The venue refuses a placement."""
        self._no_answer_to(order_id)
        return self.tell(self.venue.reject(order_id, self.now, code))

    def take_out(self, order_id: str, *, by_itself: bool = True) -> StepResult:
        """The venue takes an order out of the book."""
        return self.tell(self.venue.take_out(order_id, self.now, by_itself=by_itself))

    def refuse_cancel(self, order_id: str) -> StepResult:
        """The venue refuses a cancel."""
        return self.tell(self.venue.about(CancelRefused, order_id, self.now, reason="refused"))

    def lose(self, order_id: str, request: RequestKind = RequestKind.PLACE) -> StepResult:
        """No usable answer comes to a request."""
        return self.tell(self.venue.about(OutcomeUnknown, order_id, self.now, request=request, reason="no answer"))

    def report(self, order_id: str) -> StepResult:
        """The venue says how an order stands."""
        return self.tell(self.venue.report(order_id, self.now))

    def revive(self, order_id: str) -> StepResult:
        """An order that was out of the book is in it again."""
        return self.tell(self.venue.revive(order_id, self.now))

    def repeat(self, place: int) -> StepResult:
        """Tell a fact again, as if it had come twice: the one at ``place`` in ``facts``."""
        return self.tell(evolve(self.facts[place], received_at=self.now))

    def _no_answer_to(self, order_id: str) -> None:
        self.outstanding = deque(i for i in self.outstanding if getattr(i, "client_order_id", None) != order_id)

    # -- account and operator ---------------------------------------------------------------------------------------

    def report_balances(self) -> StepResult:
        """The venue reports the account as it is."""
        return self.tell(self.venue.report_balances(self.now))

    def move_funds(self, base: Decimal = Decimal(0), quote: Decimal = Decimal(0)) -> StepResult:
        """A deposit or a withdrawal: base units and quote currency."""
        self.venue.flows.append((base, quote))
        return self.tell(
            ExternalFlow(
                received_at=self.now,
                symbol=self.context.settings.symbol,
                base=base,
                quote=quote,
                flow_id=f"f-{len(self.venue.flows)}",
            )
        )

    def fail_journal(self) -> StepResult:
        """The journal could not be written."""
        return self.tell(JournalFailed(received_at=self.now, reason="the disk is full", withheld=()))

    def stop(self, *, flatten: bool = True) -> StepResult:
        """An operator asks for the end."""
        return self.tell(StopRequested(received_at=self.now, flatten=flatten, reason="asked"))
