"""Client order ids: within each exchange's own rules, and back again without loss."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.client_ids import RULES, ClientIds, packed, unpacked

PUBLISHED = {
    "binance": r"^[\.A-Z\:/a-z0-9_-]{1,36}$",
    "okx": r"^[A-Za-z0-9]{1,32}$",
    "bybit": r"^[A-Za-z0-9_-]{1,36}$",
    "kraken": r"^[0-9a-f]{32}$",
    "coinbase": r"^\S{1,128}$",
    "kucoin": r"^[A-Za-z0-9_-]{1,40}$",
    "gate": r"^t-[0-9A-Za-z_.-]{1,28}$",
    "bitget": r"^\S{1,40}$",
    "mexc": r"^[A-Za-z0-9_-]{1,32}$",
    "htx": r"^[A-Za-z0-9_-]{1,64}$",
    "cryptocom": r"^\S{1,36}$",
    "hyperliquid": r"^0x[0-9a-f]{32}$",
    "deribit": r"^\S{1,64}$",
    "bitstamp": r"^\S{1,36}$",
    "gemini": r"^[:\-_\.#a-zA-Z0-9]{1,99}$",
    "bingx": r"^\S{1,40}$",
    "krakenfutures": r"^\S{1,100}$",
}
"""The exchanges' own rules, as their documentation has them."""
NAMES = st.text("abcXYZ019_", min_size=1, max_size=12)
PARTS = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=6, max_size=6)
NUMBERS = st.integers(min_value=0, max_value=2**24 - 1)
OUR_IDS = st.builds("{}-{}-{}-{}".format, NAMES, PARTS, PARTS, NUMBERS)


def test_every_exchange_has_a_rule_to_be_tested_against() -> None:
    assert {*RULES} == {*PUBLISHED}


@pytest.mark.parametrize("exchange", [*RULES])
@given(parts=st.tuples(PARTS, PARTS, NUMBERS))
def test_an_id_fits_the_exchanges_rule_and_comes_back_the_same(exchange: str, parts: tuple[str, str, int]) -> None:
    ids = ClientIds(exchange, frozenset({"mm", "eth_a"}))
    for strategy in ("mm", "eth_a"):
        ours = "-".join((strategy, *map(str, parts)))
        text = ids.encode(ours)
        assert re.fullmatch(PUBLISHED[exchange], text)
        assert ids.decode(text) == ours


@given(OUR_IDS)
def test_packing_loses_nothing(ours: str) -> None:
    assert unpacked(packed(ours)) == ours


@given(OUR_IDS, OUR_IDS)
def test_two_ids_never_become_one(one: str, other: str) -> None:
    assert (packed(one) == packed(other)) == (one == other)


@pytest.mark.parametrize("exchange", [*RULES])
@given(text=st.text(max_size=40))
def test_what_others_wrote_is_never_taken_for_ours(exchange: str, text: str) -> None:
    """Except where they wrote exactly what we would have."""
    ids = ClientIds(exchange, frozenset({"mm"}))
    found = ids.decode(text)
    assert found is None or found.startswith("mm-")


@pytest.mark.parametrize("foreign", ["", None, "web_1234", "x-R4BD3S82abc", "mmx-abcdef-abcdef-1", "mm"])
def test_ids_of_other_programs_are_foreign(foreign: str | None) -> None:
    for exchange in RULES:
        assert ClientIds(exchange, frozenset({"mm"})).decode(foreign) is None


def test_a_strategy_with_a_name_too_long_for_the_exchange_is_refused_before_any_order() -> None:
    with pytest.raises(SettingsError, match=r"kraken.*longname1234.*shorter"):
        ClientIds("kraken", frozenset({"longname1234"}))


def test_an_exchange_whose_ids_cannot_hold_ours_is_refused() -> None:
    with pytest.raises(SettingsError, match="bitfinex"):
        ClientIds("bitfinex", frozenset({"mm"}))


def test_an_id_that_the_exchange_would_not_take_is_not_sent() -> None:
    with pytest.raises(ValueError, match="16777216"):
        ClientIds("okx", frozenset({"mm"})).encode("mm-abcdef-ghijkl-16777216")
