"""``mm-fsm calibrate``: from files to settings that can be pasted."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mm_fsm.estimators.micro_price import micro_price_model
from mm_fsm.runtime.settings_file import parse_settings
from tests.cli.command_line import run

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "gemini_ethusd"
FILES = sorted(DATA.glob("*.csv.gz"))

pytestmark = pytest.mark.skipif(not FILES, reason="the recorded Gemini day is not here")


def test_a_recorded_day_is_fitted_as_it_was_measured(tmp_path: Path) -> None:
    """Independently measured on this day: 1.667 bps a root second from samples every second, 1.891 every ten."""
    model = tmp_path / "model.json"
    done = run("calibrate", *FILES, "--no-cache", "--out", model, "--json")
    assert done.status == 0
    (market,) = done.json()["markets"]
    assert market["market"] == "ETH/USD"
    assert 1.667e-4 < market["ewma_volatility_per_sqrt_s"]["value"] < 1.92e-4
    assert market["two_scale_volatility_per_sqrt_s"]["value"] == pytest.approx(1.891e-4, rel=0.02)
    assert market["sellers"]["r_squared"] > 0.95
    lower, upper = market["decay_per_bps"]["interval"]
    assert 0 < lower < market["decay_per_bps"]["value"] < upper
    micro_price_model(model.read_text(encoding="utf-8")).require_market("ETH/USD", 0.01)
    text = f'preset = "gemini_ethusd"\n[strategy]\nfair_price = "micro_price"\nmicro_price_model = "{model}"\n'
    (read,) = parse_settings(text)
    assert read.strategy.micro_price_model == model.read_text(encoding="utf-8")


def test_it_prints_toml() -> None:
    done = run("calibrate", *FILES, "--no-cache")
    assert done.status == 0
    options = tomllib.loads(done.output)["strategy"]["service_options"]
    assert set(options) == {"glft", "avellaneda_stoikov"}


@pytest.mark.parametrize("name", ["missing.json", "broken.json"])
def test_a_model_that_is_none_is_refused_with_its_key(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.json").write_text("{}", encoding="utf-8")
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'preset = "gemini_ethusd"\n[strategy]\nmicro_price_model = "{tmp_path / name}"\n', encoding="utf-8"
    )
    done = run("check", settings)
    assert done.status == 2
    assert "strategy.micro_price_model" in done.messages
