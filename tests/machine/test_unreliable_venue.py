"""A machine against a paper exchange that loses, repeats and delays what passes: judged by what the exchange knows."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import PlaceOrder
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.venues.paper import PaperExchange, PaperSettings, PaperVenue, QueueModel, paper_terms
from mm_fsm.venues.simulator import MarketSimulator, SimulatorSettings
from mm_fsm.venues.unreliable import Faults, UnreliableVenue
from tests.machine.bench import CONTRACT, SPOT
from tests.machine.invariants import Watch
from tests.strategies import market_making_settings

NONE = Decimal(0)
SECOND = 1_000_000_000

_rates = st.sampled_from([0.0, 0.05, 0.2])
faults = st.builds(
    Faults,
    request_lost=_rates,
    request_late=_rates,
    answer_lost=_rates,
    query_lost=_rates,
    fill_lost=st.sampled_from([0.0, 0.1, 0.5]),
    fact_duplicated=_rates,
    fact_delayed=_rates,
    market_delayed=_rates,
    timeout_seconds=st.sampled_from([0.5, 2.0]),
    longest_delay_seconds=st.sampled_from([0.2, 2.0]),
    seed=st.integers(0, 10_000),
)


class Session:
    """One run, with the exchange's own view of orders and account beside the machine's."""

    def __init__(
        self,
        chosen: MarketMakingSettings,
        instrument: Instrument,
        trouble: Faults,
        *,
        seed: int,
        seconds: float,
    ) -> None:
        fees = Fees(maker_bps=Decimal("0.5"), taker_bps=Decimal(4))
        base = Decimal(20) if instrument.kind is SPOT.kind else Decimal(-3)
        funds = Balances(base=base, quote=Decimal(5_000), leverage=Decimal(1 if base > 0 else 3))
        self.machine = MarketMakingStateMachine(chosen, instrument, fees, funds)
        self.watch = Watch(self.machine)
        self.exchange = PaperExchange(
            instrument, fees, funds, PaperSettings(latency_jitter_seconds=0.05, queue=QueueModel.FRONT, seed=seed)
        )
        self.venue = UnreliableVenue(self.exchange, trouble)
        market = MarketSimulator(
            SimulatorSettings(
                instrument=instrument,
                seed=seed,
                start_price=Decimal(100),
                level_size=Decimal(2),
                taker_size=Decimal("0.6"),
                takers_per_second=0.6,
                taker_depth_bps=6.0,
                start_time=1_700_000_000 * SECOND,
                duration_seconds=seconds,
            )
        )
        self.runner = SessionRunner(self.machine, PaperVenue(paper_terms(instrument, fees, funds), market, self.venue))
        self._cash_apart = NONE

    def play(self, *, stop_after: int | None = None) -> None:
        """Run to the end, checking every step; an operator may ask for the end after so many of them."""
        for number, result in enumerate(self.runner.run()):
            if number == 0:  # a contract account's cash counts from the entry of its first position
                self._cash_apart = self.machine.context.ledger.cash - self.exchange._account.cash
            self._check(result)
            if number == stop_after:
                self._check(self.runner.stop(flatten=True, reason="an operator asked"))
        self._check_the_end()

    def _check(self, result: StepResult) -> None:
        self.watch.check(result.fact, result)
        self._check_true_exposure(result)

    def _on_their_way(self) -> list[PlaceOrder]:
        """Placements that have left and not reached the exchange's book yet."""
        waiting = [intent for _, intent in self.exchange._requests]
        waiting += [intent for _, _, intent in self.venue._held_up]
        return [intent for intent in waiting if isinstance(intent, PlaceOrder)]

    def _check_true_exposure(self, result: StepResult) -> None:
        """Where something is placed, the worst case is within limits: what is held, rests, and is on its way."""
        context = self.machine.context
        placed = {intent.side for intent in result.intents if isinstance(intent, PlaceOrder)}
        mid = context.mid_price
        for side in placed:
            assert mid is not None
            resting = sum((o.quantity - o.filled_quantity for o in self.exchange.open_orders if o.side is side), NONE)
            arriving = sum((intent.quantity for intent in self._on_their_way() if intent.side is side), NONE)
            offset = (self.exchange.balances.base_total - context.target_base) * side.sign
            worst = offset + (resting + arriving) * context.instrument.contract_size
            assert worst <= 0 or worst * mid <= context.settings.max_quote_exposure
            assert worst <= 0 or worst <= context.position_limit

    def _check_the_end(self) -> None:
        """COMPLETED is true of the exchange too: nothing open, nothing on its way, every trade in the books once."""
        assert self.machine.is_final
        assert self.exchange.open_orders == ()
        assert self._on_their_way() == []
        context = self.machine.context
        assert context.base_position == self.exchange.balances.base_total
        assert context.ledger.cash - self.exchange._account.cash == self._cash_apart


def play(
    chosen: MarketMakingSettings,
    instrument: Instrument,
    trouble: Faults,
    seed: int,
    *,
    stop_after: int | None = None,
    seconds: float = 60.0,
) -> Session:
    session = Session(chosen, instrument, trouble, seed=seed, seconds=seconds)
    session.play(stop_after=stop_after)
    return session


@settings(max_examples=25)
@given(
    chosen=market_making_settings(max_orders_per_interval=60, max_drawdown=Decimal(500)),
    instrument=st.sampled_from([SPOT, CONTRACT, evolve(CONTRACT, contract_size=Decimal("0.1"))]),
    trouble=faults,
    seed=st.integers(0, 10_000),
    stop_after=st.none() | st.integers(10, 300),
)
def test_every_invariant_holds_on_an_unreliable_venue(
    chosen: MarketMakingSettings, instrument: Instrument, trouble: Faults, seed: int, stop_after: int | None
) -> None:
    play(chosen, instrument, trouble, seed, stop_after=stop_after)


@pytest.mark.slow
@settings(max_examples=600)
@given(
    chosen=market_making_settings(max_orders_per_interval=60),
    instrument=st.sampled_from([SPOT, CONTRACT, evolve(CONTRACT, contract_size=Decimal("0.1"))]),
    trouble=faults,
    seed=st.integers(0, 1_000_000),
    stop_after=st.none() | st.integers(10, 2_000),
)
def test_every_invariant_holds_on_an_unreliable_venue_for_long(
    chosen: MarketMakingSettings, instrument: Instrument, trouble: Faults, seed: int, stop_after: int | None
) -> None:
    play(chosen, instrument, trouble, seed, stop_after=stop_after, seconds=300.0)
