"""A calibration recovers what a simulated market was made with, within its own intervals."""

from __future__ import annotations

import tomllib
from decimal import Decimal

import pytest

from mm_fsm.core.instrument import Instrument
from mm_fsm.core.settings import MarketMakingSettings, ServiceNames
from mm_fsm.search.calibration import Calibration, calibrate, calibrated_settings
from mm_fsm.services.registry import load_services
from mm_fsm.venues.simulator import MarketSimulator, PriceProcess, SimulatorSettings

INSTRUMENT = Instrument(
    symbol="SIM/USD",
    base_currency="SIM",
    quote_currency="USD",
    tick_size=Decimal("0.0001"),
    lot_size=Decimal("0.01"),
)
SETTINGS = MarketMakingSettings(symbol="SIM/USD", min_spread_bps=2, max_spread_bps=50)
A, K, SIGMA = 0.5, 0.25, 1.5


def simulated(
    seed: int, seconds: float = 4000.0, impact: float = 0.0, process: PriceProcess = PriceProcess.GEOMETRIC
) -> Calibration:
    """Takers of one size, so that Kyle's lambda is the impact of one."""
    market = MarketSimulator(
        SimulatorSettings(
            instrument=INSTRUMENT,
            seed=seed,
            start_price=Decimal(100),
            level_size=Decimal(10),
            taker_size=Decimal(2),
            duration_seconds=seconds,
            volatility_bps_per_sqrt_second=SIGMA,
            takers_per_second=A,
            taker_depth_bps=1 / K,
            taker_size_dispersion=0.0,
            impact_bps=impact,
            price_process=process,
            bursts_per_hour=0.0,
            spread_bps=1.0,
        )
    )
    return calibrate(market, SETTINGS, INSTRUMENT)


def test_the_intervals_cover_what_the_market_was_made_with() -> None:
    """Of 12 seeds and 5 values each, 95 % should hold the truth: 60 draws, of which 52 or fewer come once in 200."""
    held = 0
    for seed in range(12):
        found = simulated(seed, 1500.0)
        assert found.sellers is not None
        assert found.buyers is not None
        assert found.ewma is not None
        truths = [
            (found.sellers.rate_per_second, A), (found.buyers.rate_per_second, A),
            (found.sellers.decay_per_bps, K), (found.buyers.decay_per_bps, K), (found.ewma, SIGMA / 1e4),
        ]  # fmt: skip
        held += sum(estimate.interval[0] <= truth <= estimate.interval[1] for estimate, truth in truths)
    assert held >= 53


def test_volume_and_kyles_lambda_are_those_of_the_takers() -> None:
    """Both sides trade 2 * A * 2 units a second; each taker of 2 units moves the mid by 4 bps of 100, 0.02 a unit."""
    found = simulated(3, impact=4.0, process=PriceProcess.ARITHMETIC)
    assert found.volume_per_second == pytest.approx(2 * A * 2, rel=0.1)
    assert found.kyle_lambda is not None
    # Books come twice a second: moves of the last half second of each ten show in the next ten.
    assert found.kyle_lambda.value == pytest.approx(0.02 * (1 - 1 / 20), rel=0.03)


def test_what_is_printed_can_be_pasted() -> None:
    """With a risk aversion in place of the comment the services take it as it stands."""
    lines = [line.replace("# risk_aversion =", "risk_aversion = 0.1") for line in calibrated_settings(simulated(1))]
    options = tomllib.loads("\n".join(lines))["strategy"]["service_options"]
    for name in ("glft", "avellaneda_stoikov"):
        load_services(ServiceNames(spreads=name), options)
    assert options["glft"]["decay_per_bps"] == pytest.approx(K, rel=0.2)


def test_a_market_that_is_too_short_says_so() -> None:
    found = simulated(1, 5.0)
    assert found.intensity is None
    text = "\n".join(calibrated_settings(found))
    assert "too short to tell" in text
    tomllib.loads(text)


def test_the_micro_price_carries_its_market() -> None:
    model = simulated(1, 300.0).micro_price
    assert model is not None
    model.require_market("SIM/USD", 0.0001)
