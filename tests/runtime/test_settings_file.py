"""Settings files: what is read, what wins, and how everything that cannot be is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.core.settings import AdjustmentPolicy, MarketMakingSettings
from mm_fsm.core.settings_tables import known_keys
from mm_fsm.errors import SettingsError
from mm_fsm.runtime.settings_file import parse_settings, read_preset, read_settings
from mm_fsm.venues.paper import PaperPlan, QueueModel
from tests.runtime.settings_texts import MARKET, market_entry, with_line, without


def refusal(text: str) -> SettingsError:
    """The error with which a text is refused."""
    with pytest.raises(SettingsError) as caught:
        parse_settings(text)
    return caught.value


def paper_plan(text: str) -> PaperPlan:
    """What the settings of one market say about the paper exchange."""
    (market,) = parse_settings(text)
    assert isinstance(market.venue, PaperPlan)
    return market.venue


def test_one_market_is_read_with_exact_numbers() -> None:
    """0.01 and 0.0001 are not representable in binary; the decimals are exactly what is written."""
    (market,) = parse_settings(MARKET)
    assert market.symbol == market.strategy.symbol == "ETH/USD"
    assert market.instrument is not None
    assert market.instrument.tick_size == Decimal("0.01")
    assert market.instrument.lot_size == Decimal("0.0001")
    assert market.fees is not None
    assert market.fees.taker_bps == 5
    assert market.balances.quote == 20_000
    assert market.strategy.target_spread_bps == 4.0
    assert isinstance(market.strategy.target_spread_bps, float)
    assert market.venue.reference_price == 2000
    assert market.preset == ""


def test_every_kind_of_value_can_be_written() -> None:
    """Choices, booleans, options of third parties, sub tables, and quoted decimals."""
    text = (
        with_line("strategy", 'adjustment_policy = "limit"')
        + '[strategy.services]\nspreads = "fixed"\n'
        + "[strategy.service_options]\nmine = { window = 3, decay = 0.5, names = ['a'] }\n"
        + '[paper]\nqueue = "front"\n'
    ).replace("maker_bps = 1", 'maker_bps = "1.25"')
    (market,) = parse_settings(text)
    assert market.strategy.adjustment_policy is AdjustmentPolicy.LIMIT
    assert market.strategy.services.spreads == "fixed"
    assert market.strategy.service_options["mine"] == {"window": 3, "decay": 0.5, "names": ["a"]}
    plan = paper_plan(text)
    assert plan.exchange.queue is QueueModel.FRONT
    assert plan.fees.maker_bps == Decimal("1.25")


def test_a_simulated_market_needs_nothing_written() -> None:
    """Start price 20,000 ticks of 0.01 = 200; an order of 100 is 0.5 base, 20 of them 10, 5 of them 2.5."""
    plan = paper_plan(without("simulator"))
    simulator = plan.simulator
    assert simulator.start_price == 200
    assert (simulator.level_size, simulator.taker_size) == (Decimal(10), Decimal("2.5"))
    assert plan.reference_price is None


def test_several_markets_share_defaults() -> None:
    """An entry's own key wins over the defaults, the defaults over the preset."""
    text = (
        'preset = "paper_ethusd"\n[defaults.strategy]\nbase_order_size = 111\nnum_price_levels = 2\n'
        "[[market]]\n[market.strategy]\nnum_price_levels = 1\n"
        '[[market]]\npreset = "paper_btcusd"\n'
    )
    first, second = parse_settings(text)
    assert (first.symbol, second.symbol) == ("ETH/USD", "BTC/USD")
    assert first.strategy.base_order_size == second.strategy.base_order_size == 111
    assert (first.strategy.num_price_levels, second.strategy.num_price_levels) == (1, 2)
    assert first.fees == read_preset("paper_ethusd").fees
    assert (first.preset, second.preset) == ("paper_ethusd", "paper_btcusd")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """Some editors put one in front of UTF-8."""
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xef\xbb\xbf" + MARKET.encode())
    assert read_settings(path)[0].symbol == "ETH/USD"


REFUSED = {
    "no-toml": ("a =", "settings", ["TOML", "end of document"]),
    "number-beyond-reading": ("a = " + "9" * 5000, "settings", ["TOML"]),
    "empty": ("", "instrument", ["[instrument]", "nothing", "tick_size"]),
    "no-fees": (without("fees"), "fees", ["nothing", "never taken as zero"]),
    "no-maker-fee": (without("fees", "maker_bps"), "fees.maker_bps", ["nothing", "zero"]),
    "no-balances": (without("balances"), "balances", ["nothing", "account"]),
    "no-tick": (without("instrument", "tick_size"), "instrument.tick_size", ["nothing"]),
    "misspelt": (with_line("strategy", "target_sprad_bps = 1"), "strategy.target_sprad_bps", ["'target_spread_bps'"]),
    "misspelt-table": (MARKET.replace("[fees]", "[fee]"), "fee", ["'fees'"]),
    "key-outside-its-table": ("maker_bps = 1\n" + MARKET, "maker_bps", ["[fees]"]),
    "unknown": (with_line("simulator", "volatility = 1"), "simulator.volatility", ["volatility_bps_per_sqrt_second"]),
    "no-key-of-a-file": (with_line("simulator", "instrument = 1"), "simulator.instrument", ["[simulator]"]),
    "text-for-number": (
        with_line("strategy", 'target_spread_bps = "4"'),
        "strategy.target_spread_bps",
        ["'4'", "quotes"],
    ),
    "boolean-for-number": (with_line("strategy", "target_spread_bps = true"), "strategy.target_spread_bps", ["True"]),
    "boolean-for-decimal": (with_line("fees", "maker_bps = true"), "fees.maker_bps", ["True"]),
    "word-for-decimal": (with_line("fees", 'maker_bps = "cheap"'), "fees.maker_bps", ["'cheap'"]),
    "nan": (with_line("fees", "maker_bps = nan"), "fees.maker_bps", ["nan", "finite"]),
    "inf": (with_line("strategy", "target_spread_bps = inf"), "strategy.target_spread_bps", ["inf", "finite"]),
    "beyond-the-ledger": (with_line("instrument", "lot_size = 1e-30"), "instrument.lot_size", ["24 decimals"]),
    "zero-tick": (with_line("instrument", "tick_size = 0"), "instrument.tick_size", ["positive", "0"]),
    "number-for-text": (with_line("instrument", "symbol = 3"), "instrument.symbol", ["a text", "3"]),
    "inverse": (with_line("instrument", 'kind = "inverse"'), "instrument.kind", ["not supported", "linear"]),
    "fraction-for-count": (
        with_line("strategy", "num_price_levels = 2.0"),
        "strategy.num_price_levels",
        ["whole number", "2.0"],
    ),
    "number-for-boolean": (
        with_line("strategy", "wind_down_on_fault = 1"),
        "strategy.wind_down_on_fault",
        ["true or false"],
    ),
    "no-such-choice": (
        with_line("strategy", 'adjustment_policy = "bold"'),
        "strategy.adjustment_policy",
        ["'passive'", "'bold'"],
    ),
    "negative": (with_line("strategy", "base_order_size = -5"), "strategy.base_order_size", ["above 0", "-5"]),
    "contradiction": (with_line("strategy", "min_spread_bps = 60"), "strategy.min_spread_bps", ["max_spread_bps"]),
    "fee-above-the-spread": (with_line("fees", "maker_bps = 30"), "strategy.max_spread_bps", ["61", "loses money"]),
    "two-symbols": (with_line("strategy", 'symbol = "BTC/USD"'), "strategy.symbol", ["'ETH/USD'"]),
    "value-for-sub-table": (with_line("strategy", "services = 3"), "strategy.services", ["a table"]),
    "misspelt-role": (MARKET + '[strategy.services]\nspread = "x"', "strategy.services.spread", ["'spreads'"]),
    "value-for-table": ("fees = 3\n" + without("fees"), "fees", ["a table", "3"]),
    "no-such-queue": (with_line("paper", 'queue = "first"'), "paper.queue", ["'pessimistic'"]),
    "negative-latency": (
        with_line("paper", "order_latency_seconds = -1"),
        "paper.order_latency_seconds",
        ["at least 0"],
    ),
    "no-step": (with_line("simulator", "step_seconds = 0"), "simulator.step_seconds", ["at least"]),
    "no-such-preset": ('preset = "nasdaq"\n' + MARKET, "preset", ["gemini_ethusd", "'nasdaq'"]),
    "preset-no-text": ("preset = 3\n" + MARKET, "preset", ["name"]),
    "mode-of-earlier": ('mode = "live"\n' + MARKET, "mode", ["[venue]", "'live'", "kind"]),
    "venue-of-earlier": ('venue = "ccxt:binance"\n' + MARKET, "venue", ["[venue]", "'ccxt:binance'", "kind"]),
    "no-such-kind": (with_line("venue", 'kind = "moon"'), "venue.kind", ["'paper'", "'recorded'", "'moon'", "Choose"]),
    "kind-no-text": (with_line("venue", "kind = 3"), "venue.kind", ["'paper'", "3"]),
    "venue-no-table": ("venue = 3\n" + MARKET, "venue", ["a table", "3"]),
    "table-of-another-kind": (
        with_line("venue", 'kind = "recorded"\nfiles = ["a.csv"]'),
        "simulator",
        ["'recorded' reads", "kind = 'paper'"],
    ),
    "key-of-another-kind": (with_line("venue", 'files = ["a.csv"]'), "venue.files", ["[venue]", "files"]),
    "recorded-without-files": (
        without("simulator") + '[venue]\nkind = "recorded"',
        "venue.files",
        ["a value", "nothing"],
    ),
    "recorded-of-no-file": (
        without("simulator") + '[venue]\nkind = "recorded"\nfiles = []',
        "venue.files",
        ["at least one path"],
    ),
    "live-on-paper": (with_line("venue", "live = true"), "venue.live", ["nothing real happens", "'paper'"]),
    "live-no-boolean": (with_line("venue", 'live = "yes"'), "venue.live", ["true or false", "'yes'"]),
    "live-outside-its-table": ("live = true\n" + MARKET, "live", ["[venue]"]),
    "markets-no-list": ("market = 3", "market", ["[[market]]"]),
    "no-market": ("market = []", "market", ["[[market]]"]),
    "duplicate-symbols": (market_entry("A") + market_entry("A"), "market[1].instrument.symbol", ["'A'", "once"]),
    "in-an-entry": (market_entry("A").replace("maker_bps = 1", ""), "market[0].fees.maker_bps", ["nothing"]),
    "table-beside-markets": ("[fees]\nmaker_bps = 1\n" + market_entry("A"), "fees", ["top level"]),
    "misspelt-default": ("[defaults.fees]\nmaker = 1\n" + market_entry("A"), "defaults.fees.maker", ["'maker_bps'"]),
    "misspelt-default-table": ("[defaults.fee]\nmaker = 1\n" + market_entry("A"), "defaults.fee", ["'fees'"]),
    "default-no-table": ("[defaults]\nfees = 1\n" + market_entry("A"), "defaults.fees", ["a table"]),
    "defaults-of-nothing": ("[defaults.fees]\nmaker_bps = 1\n" + MARKET, "defaults", ["[[market]]"]),
}
"""Settings by what is wrong with them, with the field that the error names and what else it says."""


@pytest.mark.parametrize(("text", "field", "parts"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused(text: str, field: str, parts: list[str]) -> None:
    """The message names the field as it is written, what was expected, what was found, and what to do."""
    error = refusal(text)
    assert error.field == field
    assert error.remedy
    assert len(error.each) == (2 if text == "" else 1), str(error)
    message = str(error.each[0])
    assert message.startswith(f"{error.each[0].noun} {field!r}: expected ")
    for part in parts:
        assert part in message
    assert "Decimal(" not in message


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """One mistake of each kind, in every table; a key that may be meant by an unknown one is not missing as well."""
    text = MARKET
    for old, new in {
        "tick_size = 0.01": "tick_size = 0",
        "maker_bps = 1\n": "maker_bsp = 1\n",
        "taker_bps = 5": 'taker_bps = "cheap"',
        "[strategy]": '[strategy]\nadjustment_policy = "passiv"\nmin_edge_bps = -1\nnum_price_levels = 2.5',
        "[simulator]": '[paper]\nqueue = "fornt"\n[simulator]\nstep_seconds = "1"',
    }.items():
        assert old in text
        text = text.replace(old, new)
    error = refusal(text)
    remedies = {each.field: each.remedy for each in error.each}
    assert set(remedies) == {
        "instrument.tick_size", "fees.maker_bsp", "fees.taker_bps", "strategy.adjustment_policy",
        "strategy.min_edge_bps", "strategy.num_price_levels", "paper.queue", "simulator.step_seconds",
    }  # fmt: skip
    assert len(error.each) == len(remedies)
    assert str(error).startswith("8 settings are wrong:\n  setting 'instrument.tick_size'")
    assert remedies["fees.maker_bsp"] == "Did you mean 'maker_bps'?"
    assert remedies["strategy.adjustment_policy"] == "Did you mean 'passive'?"
    assert remedies["paper.queue"] == "Did you mean 'front'?"


def test_every_wrong_value_of_one_table_is_told() -> None:
    """Rules of an instrument, fees and balances too, where one value is as wrong as another."""
    text = MARKET.replace("tick_size = 0.01", "tick_size = -1").replace("lot_size = 0.0001", "lot_size = 0")
    text = text.replace("maker_bps = 1", 'maker_bps = "nan"').replace("taker_bps = 5", "taker_bps = inf")
    assert {each.field for each in refusal(text).each} == {
        "instrument.tick_size", "instrument.lot_size", "fees.maker_bps", "fees.taker_bps",
    }  # fmt: skip


def test_a_spot_account_that_would_start_short_is_told_with_the_rest() -> None:
    """Where its market stands, though two tables say it together."""
    text = market_entry("A").replace("base = 10", "base = -10").replace("maker_bps = 1", "maker_bps = nan")
    remedies = {each.field: each.remedy for each in refusal(text).each}
    assert set(remedies) == {"market[0].fees.maker_bps", "market[0].balances.base"}
    assert remedies["market[0].balances.base"] == "A spot account is never short."


def test_a_service_that_nobody_brings_is_told_with_the_rest() -> None:
    """And the options of one that is shipped: by hand, glft lacks A and its risk aversion is no number."""
    text = (
        with_line("fees", "maker_bps = nan")
        + '[strategy.services]\nspreads = "glft"\nrisk = "defalt"\norders = "mine"\n'
        + '[strategy.service_options.glft]\nrisk_aversion = "high"\ndecay_per_bps = "estimated"\nkappa = 1\n'
    )
    remedies = {each.field: each.remedy for each in refusal(text).each}
    assert set(remedies) == {
        "fees.maker_bps", "strategy.services.orders", "strategy.services.risk",
        "strategy.service_options.glft.risk_aversion", "strategy.service_options.glft.kappa",
        "strategy.service_options.glft.intensity_per_second",
    }  # fmt: skip
    assert remedies["strategy.services.risk"] == "Did you mean 'default'?"
    assert "'mm_fsm.orders'" in remedies["strategy.services.orders"]
    assert "[strategy.service_options.glft]" in remedies["strategy.service_options.glft.intensity_per_second"]


def test_a_service_is_refused_where_its_market_stands() -> None:
    text = market_entry("A") + '[market.strategy.services]\nspreads = "flxed"\n'
    error = refusal(text)
    assert (error.field, error.remedy) == ("market[0].strategy.services.spreads", "Did you mean 'fixed'?")


def test_lists_of_numbers_can_be_written() -> None:
    """The shares of the levels, and a counter's pairs of age and points."""
    text = with_line("strategy", "level_requote_tolerance_away_shares = [0.1, 1]").replace(
        "[strategy]", "[strategy]\nrate_counter_limit = 60\nrate_counter_cancel_points = [[5, 8], [10, 0.5]]"
    )
    (market,) = parse_settings(text)
    assert market.strategy.level_requote_tolerance_away_shares == (0.1, 1.0)
    assert market.strategy.rate_counter_cancel_points == ((5.0, 8.0), (10.0, 0.5))
    error = refusal(with_line("strategy", "level_requote_tolerance_away_shares = [0.1, 2]"))
    assert (error.field, error.found) == ("strategy.level_requote_tolerance_away_shares", [0.1, 2])


@pytest.mark.parametrize("value", ["[]", "{}", "-1", '"x"', "true", "[1]", "0.5", "[[1]]"])
@pytest.mark.parametrize("key", known_keys(MarketMakingSettings))
def test_any_value_of_any_key_is_taken_or_refused_by_name(key: str, value: str) -> None:
    """No value of TOML, however wrong, ends in anything but settings or a refusal that names a key of the table."""
    told: tuple[str, ...] = ()
    try:
        parse_settings(with_line("strategy", f"{key} = {value}"))
    except SettingsError as error:
        told = tuple(each.field for each in error.each)
    assert all(field.startswith("strategy.") for field in told), told


def test_mistakes_of_several_markets_are_told_at_once_each_in_one_place() -> None:
    """What is wrong in the defaults is wrong there, not in each market that shares them."""
    text = (
        "[defaults.strategy]\nbase_order_siez = 1\n"
        + market_entry("A").replace("maker_bps = 1", "maker_bps = nan")
        + market_entry("B").replace("[market.fees]", '[market.venue]\nkind = "papre"\n[market.fees]')
    )
    error = refusal(text)
    assert [each.field for each in error.each] == [
        "defaults.strategy.base_order_siez", "market[0].fees.maker_bps", "market[1].venue.kind",
    ]  # fmt: skip
    assert error.each[-1].remedy == "Did you mean 'paper'?"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('preset = "gemini_ethusdt"', "gemini_ethusd"),
        ('preset = "PAPER_ETHUSD"', "paper_ethusd"),
        (with_line("venue", 'kind = "recoded"\nfiles = ["a"]'), "recorded"),
    ],
)
def test_a_misspelt_name_is_recognised(text: str, meant: str) -> None:
    assert refusal(text).remedy == f"Did you mean {meant!r}?"


def test_the_value_of_an_unknown_key_is_never_shown() -> None:
    """It may be a secret that was put into the wrong file."""
    message = str(refusal('apiKey = "hunter2"\n' + MARKET))
    assert "apiKey" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("content", "part"),
    [pytest.param(None, "No such file", id="missing"), pytest.param(b"a = '\xff'", "0xff at offset 5", id="no-utf-8")],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, part: str) -> None:
    """The message names the file."""
    path = tmp_path / "settings.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=part) as caught:
        read_settings(path)
    assert caught.value.field == str(path)


def test_a_directory_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a file that can be read"):
        read_settings(tmp_path)
