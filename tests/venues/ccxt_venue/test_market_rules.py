"""Rules, fees and account come from the exchange; what settings say as well must agree."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve

from mm_fsm.core.instrument import Fees, Instrument
from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.market_rules import (
    LACKING_FOR_CONTRACTS,
    account_name,
    agreed,
    is_test_environment,
    read_fees,
    read_instrument,
)

MARKET = {
    "base": "ETH",
    "quote": "USDT",
    "spot": True,
    "active": True,
    "precision": {"price": "0.01", "amount": "0.0001"},
    "limits": {"amount": {"min": "0.0002"}, "cost": {"min": "5"}},
}
ETH = Instrument(
    symbol="ETH/USDT",
    base_currency="ETH",
    quote_currency="USDT",
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.0001"),
    minimum_quantity=Decimal("0.0002"),
    minimum_notional=Decimal(5),
)


def exchange(mode: int = 4, fee: Any = None, has: str = "fetchTradingFee", **changes: Any) -> Any:
    async def fetch_trading_fee(_: str) -> Any:
        return fee

    async def fetch_trading_fees() -> Any:
        return {"ETH/USDT": fee}

    return SimpleNamespace(
        id="somewhere",
        has={has: True},
        precisionMode=mode,
        markets={"ETH/USDT": {**MARKET, **changes}},
        fetch_trading_fee=fetch_trading_fee,
        fetch_trading_fees=fetch_trading_fees,
    )


def fees_of(where: Any, written: Fees | None = None) -> Fees:
    return asyncio.run(read_fees(where, "ETH/USDT", written))


def test_rules_are_the_exchanges_own() -> None:
    assert read_instrument(exchange(), "ETH/USDT") == ETH


def test_decimal_places_are_steps() -> None:
    assert read_instrument(exchange(2, precision={"price": 2, "amount": 4}), "ETH/USDT") == ETH


def test_significant_digits_are_refused() -> None:
    with pytest.raises(SettingsError, match="significant digits"):
        read_instrument(exchange(3), "ETH/USDT")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"precision": {"price": None, "amount": "1"}}, "precision.price"),
        ({"precision": {"price": "0", "amount": "1"}}, "precision.price"),
        ({"precision": None}, "precision.price"),
        ({"spot": False, "type": "swap"}, "a spot market"),
        ({"active": False}, "closed"),
    ],
)
def test_a_market_that_cannot_be_traded_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        read_instrument(exchange(**changes), "ETH/USDT")


@pytest.mark.parametrize(
    ("market", "found", "words"),
    [
        ({"type": "swap", "linear": True, "inverse": False}, "linear swap", LACKING_FOR_CONTRACTS),
        ({"type": "future", "linear": True, "inverse": False}, "linear future", ("funding payments",)),
        ({"type": "swap", "linear": False, "inverse": True}, "swap", ("Inverse contracts",)),
        ({"type": "option"}, "option", ("options",)),
        ({"type": None}, "of no type that it names", ("traded nowhere here",)),
    ],
)
def test_a_contract_is_refused_with_what_would_be_missing(
    market: dict[str, Any], found: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(SettingsError) as refused:
        read_instrument(exchange(spot=False, **market), "ETH/USDT")
    assert refused.value.found == f"ETH/USDT ({found})"
    assert all(each in refused.value.remedy for each in words)


def test_the_page_says_what_is_missing_for_contracts() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "exchanges.md").read_text(encoding="utf-8")
    section = page.partition("## Contracts")[2]
    rows = re.findall(r"^\| (.+?) \| .+ \|$", section, re.MULTILINE)
    assert rows == ["what is missing", *LACKING_FOR_CONTRACTS]


def test_a_market_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match="XYZ/USDT"):
        read_instrument(exchange(), "XYZ/USDT")


@pytest.mark.parametrize("has", ["fetchTradingFee", "fetchTradingFees"])
def test_the_fee_tier_in_basis_points(has: str) -> None:
    assert fees_of(exchange(fee={"maker": "0.0008", "taker": "0.001"}, has=has)) == Fees(
        maker_bps=Decimal(8), taker_bps=Decimal(10)
    )


@pytest.mark.parametrize("fee", [None, {}, {"maker": None, "taker": "0.001"}, {"maker": "0.001"}])
def test_a_fee_that_is_not_said_is_never_zero(fee: Any) -> None:
    with pytest.raises(SettingsError, match="never zero"):
        fees_of(exchange(fee=fee), Fees(maker_bps=Decimal(8), taker_bps=Decimal(10)))


def test_where_fees_cannot_be_asked_for_they_must_be_written() -> None:
    with pytest.raises(SettingsError, match="maker_bps"):
        fees_of(exchange(has="nothing"))
    written = Fees(maker_bps=Decimal(8), taker_bps=Decimal(10))
    assert fees_of(exchange(has="nothing"), written) == written


def test_written_fees_must_agree_and_both_are_named() -> None:
    with pytest.raises(SettingsError, match=r"maker 8 .*maker 7"):
        fees_of(exchange(fee={"maker": "0.0008", "taker": "0.001"}), Fees(maker_bps=Decimal(7), taker_bps=Decimal(10)))


@pytest.mark.parametrize(
    "change",
    [
        {"tick_size": Decimal("0.02")},
        {"lot_size": Decimal(1)},
        {"minimum_notional": Decimal(6)},
        {"base_currency": "E"},
    ],
)
def test_written_rules_must_agree_and_both_are_named(change: dict[str, Any]) -> None:
    name, value = next(iter(change.items()))
    with pytest.raises(SettingsError) as refused:
        agreed(exchange(), ETH, evolve(ETH, **change))
    assert refused.value.field == f"instrument.{name}"
    assert refused.value.found == str(value)
    assert str(getattr(ETH, name)) in refused.value.expected
    assert agreed(exchange(), ETH, ETH) == agreed(exchange(), ETH, None) == ETH


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        ({"amount": {"max": "9000"}, "cost": {"max": "9000000"}}, (Decimal(9000), Decimal(9_000_000))),
        ({"amount": {"max": None}, "cost": {}}, (None, None)),
        ({"amount": {"max": "0"}, "cost": {"max": 0}}, (None, None)),  # no exchange takes no order: it has no such rule
        ({"amount": {"max": "NaN"}, "cost": {"max": "Infinity"}}, (None, None)),
        ({"amount": None}, (None, None)),
    ],
)
def test_the_largest_order_is_the_exchanges_own_or_not_known(
    most: dict[str, Any], expected: tuple[Decimal | None, ...]
) -> None:
    rules = read_instrument(exchange(limits=most), "ETH/USDT")
    assert (rules.maximum_quantity, rules.maximum_notional) == expected


def test_a_largest_order_that_the_exchange_does_not_say_may_be_written() -> None:
    written = evolve(ETH, maximum_quantity=Decimal(100))
    assert agreed(exchange(), ETH, written) == written
    assert agreed(exchange(), written, ETH) == written
    with pytest.raises(SettingsError, match=r"instrument\.maximum_quantity.*expected 100,"):
        agreed(exchange(), written, evolve(ETH, maximum_quantity=Decimal(101)))


def test_the_account_has_one_name_for_all_its_keys() -> None:
    assert account_name(exchange(), {"info": {"uid": 354}}, None) == "somewhere-354"
    assert account_name(exchange(), {"info": []}, "main") == "somewhere-main"
    with pytest.raises(SettingsError, match=r"venue\.account"):
        account_name(exchange(), {"info": {}}, None)


@pytest.mark.parametrize(
    "switch",
    [
        {"isSandboxModeEnabled": True},
        {"options": {"sandboxMode": True}},
        {"options": {"enableDemoTrading": True}},
    ],
)
@pytest.mark.parametrize("written", [None, "main"])
def test_play_money_and_real_money_never_share_a_name(switch: dict[str, Any], written: str | None) -> None:
    """Journal and lock are found by it; the exchange may give both the same number."""
    sandbox = exchange()
    for name, value in switch.items():
        setattr(sandbox, name, value)
    balance = {"info": {"uid": 354}}
    assert account_name(sandbox, balance, written) == f"somewhere-sandbox-{written or 354}"
    assert account_name(exchange(), balance, written) == f"somewhere-{written or 354}"


def test_ccxts_own_sandbox_is_recognised() -> None:
    ccxt = pytest.importorskip("ccxt", reason="needs the extra 'exchanges'")
    real, sandbox = ccxt.binance(), ccxt.binance()
    sandbox.set_sandbox_mode(True)
    assert (is_test_environment(real), is_test_environment(sandbox)) == (False, True)
