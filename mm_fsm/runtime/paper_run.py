"""The shortest way to see a machine run: a simulated market, the paper exchange, one call."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeVar

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.runtime.stepping import SteppedMachine
from mm_fsm.services.protocols import Services
from mm_fsm.venues.paper import PaperAccount
from mm_fsm.venues.simulator import MarketSimulator, SimulatorSettings

MachineT = TypeVar("MachineT", bound=QuotingMachine)

PAPER_INSTRUMENT: Final = Instrument(
    symbol="ETH/USD",
    base_currency="ETH",
    quote_currency="USD",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.0001"),
    minimum_quantity=Decimal("0.001"),
    minimum_notional=Decimal(5),
)
PAPER_FEES: Final = Fees(maker_bps=Decimal(1), taker_bps=Decimal(5))
PAPER_BALANCES: Final = Balances(base=Decimal(10), quote=Decimal(20_000))


def run_on_paper(
    machine_class: type[MachineT],
    settings: MarketMakingSettings | None = None,
    *,
    services: Services | None = None,
    observers: tuple[MachineObserver, ...] = (),
    seconds: float = 600,
    seed: int = 7,
) -> MachineT:
    """Run a machine on the paper exchange against a simulated ETH/USD, and return it once it has ended.

    Args:
        machine_class: a market maker's class.
        settings: its settings, for the symbol ETH/USD; their session time ends the run. By default the shipped ones
            for ``seconds``.
        services: services to use instead of those that the settings name.
        observers: told everything that happens.
        seconds: length of the session before it winds down, simulated.
        seed: of the market; one seed gives one market.
    """
    if settings is None:
        settings = MarketMakingSettings(symbol=PAPER_INSTRUMENT.symbol, session_seconds=seconds)
    machine = machine_class(settings, PAPER_INSTRUMENT, PAPER_FEES, PAPER_BALANCES, services)
    for observer in observers:
        machine.observe(observer)
    trade_on_paper(machine, (settings.session_seconds or seconds) + settings.wind_down_deadline_seconds + 60, seed)
    return machine


def trade_on_paper(machine: SteppedMachine, seconds: float, seed: int = 7) -> None:
    """Step any machine on the paper exchange against the simulated ETH/USD until it has ended.

    Args:
        machine: made for ``PAPER_INSTRUMENT``; one with a journal around it is one as well.
        seconds: after which the market ends, simulated: then the machine is asked to stop.
        seed: of the market; one seed gives one market.
    """
    market = MarketSimulator(
        SimulatorSettings(
            instrument=PAPER_INSTRUMENT,
            seed=seed,
            start_price=Decimal(2000),
            level_size=Decimal(1),
            taker_size=Decimal("0.3"),
            duration_seconds=seconds,
        )
    )
    account = PaperAccount(instrument=PAPER_INSTRUMENT, fees=PAPER_FEES, balances=PAPER_BALANCES)
    for _ in SessionRunner(machine, account.on(market)).run():
        pass
