"""``mm-fsm check``: what settings would quote, or why they are refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.core.settings_tables import BELOW
from mm_fsm.runtime.presets import preset_names
from mm_fsm.services.registry import DEFAULTS
from tests.cli.command_line import run, write_settings
from tests.runtime.settings_texts import MARKET, with_line, without


@pytest.mark.smoke
@pytest.mark.parametrize("name", preset_names())
def test_every_preset_quotes_every_level(name: str) -> None:
    """Three levels a side at its own start price, none of them dropped, the innermost beyond break-even."""
    finished = run("check", "--preset", name, "--json")
    assert finished.status == 0
    (entry,) = finished.json()["symbols"]
    assert [(level["side"], level["level"]) for level in entry["levels"]] == [
        ("ask", 2), ("ask", 1), ("ask", 0), ("bid", 0), ("bid", 1), ("bid", 2),
    ]  # fmt: skip
    assert entry["dropped"] == []
    assert entry["requests"] == ""
    innermost = [level["distance_bps"] for level in entry["levels"] if level["level"] == 0]
    assert innermost[0] - innermost[1] >= entry["break_even_spread_bps"]


def test_prices_and_sizes_are_those_of_a_calm_market(tmp_path: Path) -> None:
    """By hand, at 2000 with books 1999.99 to 2000.01, no volatility and no position.

    Spread: 4 + half of the market's 0.1 bps = 4.05 bps, so a bid at 2000 * (1 - 2.025e-4) = 1999.595, floored to
    1999.59; an order of 100 at it is 0.05001025..., floored to 0.0500. Break-even: 2 * 1 + 1 = 3 bps.
    """
    settings = write_settings(tmp_path, with_line("strategy", "num_price_levels = 1"))
    finished = run("check", settings, "--json")
    assert finished.status == 0
    (entry,) = finished.json()["symbols"]
    assert entry["break_even_spread_bps"] == 3.0
    ask, bid = entry["levels"]
    assert (bid["price"], bid["quantity"]) == ("1999.59", "0.05")
    assert (ask["price"], ask["quantity"]) == ("2000.41", "0.0499")
    assert Decimal(bid["notional"]) == Decimal("1999.59") * Decimal("0.05")
    # a tenth of the equity of 20000 + 10 * 2000, at 2000
    assert Decimal(entry["position_limit"]) == 2


def test_a_price_can_be_given(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, without("simulator"))
    refused = run("check", settings)
    assert refused.status == 2
    assert "--price" in refused.messages
    (entry,) = run("check", settings, "--price", "500", "--json").json()["symbols"]
    assert entry["reference_price"] == "500"
    assert all(abs(Decimal(level["price"]) - 500) < 1 for level in entry["levels"])


@pytest.mark.parametrize("price", ["0", "-1", "nan", "cheap", "0.01"])
def test_a_price_that_is_none_is_refused(tmp_path: Path, price: str) -> None:
    finished = run("check", write_settings(tmp_path, MARKET), f"--price={price}")
    assert finished.status == 2
    assert "--price" in finished.messages


def test_a_dropped_level_says_why(tmp_path: Path) -> None:
    """100, 70 and 49 in quote currency against a minimum notional of 60: the third level is dropped, not raised."""
    settings = write_settings(tmp_path, with_line("instrument", "minimum_notional = 60"))
    finished = run("check", settings)
    assert finished.status == 0
    assert finished.output.count("dropped") == 2
    # at 2000 in lots of 0.0001: 60 / 2000 = 0.03
    assert "is too small: the smallest order is 0.03 ETH, about 60 USD" in " ".join(finished.output.split())
    (entry,) = run("check", settings, "--json").json()["symbols"]
    assert {(lost["side"], lost["level"]) for lost in entry["dropped"]} == {("bid", 2), ("ask", 2)}


def test_with_every_level_dropped_it_says_what_an_order_is_and_what_it_must_be(tmp_path: Path) -> None:
    """100 at 2000 is 0.05; the venue wants 0.08, which is 160 there."""
    text = MARKET.replace("minimum_quantity = 0.001", "minimum_quantity = 0.08")
    finished = run("check", write_settings(tmp_path, text))
    told = "is too small: 100 USD is 0.05 ETH; the smallest order is 0.08 ETH, about 160 USD"
    assert told in " ".join(finished.output.split())


KRAKEN = "rate_counter_cancel_points = [[5, 8], [10, 6], [15, 5], [45, 4], [90, 2], [300, 1]]"


@pytest.mark.parametrize(
    ("limit", "levels", "says"),
    [
        (60, 3, "new prices of 0 of the 2 innermost"),
        (66, 3, "new prices of 0 of the 2 innermost"),
        (67, 3, "new prices of 1 of the 2 innermost"),  # 8 + 1 to move one, 6 * 8 + 1 for an ending, 9 for a gap
        (75, 3, "new prices of 1 of the 2 innermost"),
        (76, 3, ""),  # 9 more for the second
        (60, 5, "room for 6 of 10 quotes at once"),  # 6 + 6 * 8 + 1 = 55, a seventh needs 9 more
        (125, 3, ""),
    ],
)
def test_a_ladder_that_the_venues_counter_has_no_room_for_is_warned_of(
    tmp_path: Path, limit: int, levels: int, says: str
) -> None:
    """By hand, at Kraken's prices: an order costs 1 point, a young one's cancel 8."""
    lines = f"rate_counter_limit = {limit}\n{KRAKEN}\nnum_price_levels = {levels}"
    settings = write_settings(tmp_path, with_line("strategy", lines))
    (entry,) = run("check", settings, "--json").json()["symbols"]
    assert says in entry["requests"]
    assert bool(entry["requests"]) is bool(says)
    assert ("requests: " in run("check", settings).output) is bool(says)


def test_settings_that_would_quote_nothing_fail(tmp_path: Path) -> None:
    """No level reaches the minimum: the settings are well-formed, but useless."""
    settings = write_settings(tmp_path, with_line("instrument", "minimum_notional = 500"))
    finished = run("check", settings)
    assert finished.status == 1
    assert "would quote nothing" in finished.messages


def test_refused_settings_have_their_status(tmp_path: Path) -> None:
    finished = run("check", write_settings(tmp_path, without("fees")))
    assert finished.status == 2
    assert "never taken as zero" in finished.messages
    assert run("check").status == 2


def test_a_limit_too_small_for_any_level_says_each_reason_once(tmp_path: Path) -> None:
    """Of the shipped preset, 0.01 of quote currency: far below its smallest order."""
    settings = tmp_path / "settings.toml"
    settings.write_text('preset = "paper_ethusd"\n[strategy]\nmax_quote_exposure = 0.01\n')
    finished = run("check", settings)
    assert finished.status == 1
    said = finished.output + finished.messages
    for side in ("bid", "ask"):
        assert said.count(f"{side} level 0, inventory_limit: ") == 1
    assert said.count("0.100025 at 2499.37") == 1
    assert "held: " not in said
    assert "level 0: " not in said
    assert "ETH/USD would quote nothing: as above" in finished.messages
    assert "0.100025 at 2499.37" in run("check", settings, "--json").messages


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_presets_name_in_place_of_settings_is_told_from_a_file(command: str) -> None:
    finished = run(command, "paper_ethusd")
    assert finished.status == 2
    assert 'found "a preset\'s name"' in finished.messages
    assert 'preset = "paper_ethusd"' in finished.messages
    assert "--preset paper_ethusd" in finished.messages


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('spreads = "glft"', "'strategy.spreads': expected a key that [strategy] has, found 'spreads'. It belongs in "),
        ('spreads = "glft"', "[strategy.services]"),
        ("[stop]", ", venue."),
    ],
    ids=["a service beside [strategy]'s own keys", "the table in which it belongs", "an unknown table"],
)
def test_a_key_in_the_wrong_place_is_told_where_it_belongs(tmp_path: Path, line: str, told: str) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'preset = "paper_ethusd"\n[strategy]\n{line}\n')
    finished = run("check", settings)
    assert finished.status == 2
    assert told in finished.messages
    assert "venue, venue" not in finished.messages


@pytest.mark.parametrize("role", DEFAULTS)
def test_every_service_has_the_table_in_which_it_is_named(role: str) -> None:
    assert BELOW[role] == "services"


@pytest.mark.parametrize(("target", "told"), [(1, "5 bps for asks, raised from 1\n"), (8, "bps for asks\n")])
def test_a_target_below_the_floor_is_said_to_be_raised(tmp_path: Path, target: int, told: str) -> None:
    """Of the preset: two maker fees of 2 bps and an edge of 1 are 5 bps."""
    settings = tmp_path / "settings.toml"
    settings.write_text(f'preset = "paper_ethusd"\n[strategy]\ntarget_spread_bps = {target}\n')
    finished = run("check", settings)
    assert finished.status == 0
    assert told in finished.output
