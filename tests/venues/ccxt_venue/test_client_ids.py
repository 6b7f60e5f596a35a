"""Client order ids: within each exchange's own rules, and back again without loss."""

from __future__ import annotations

import re
from pathlib import Path

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


# -- the page for users ------------------------------------------------------------------------------------------------

SHAPES = {
    "the id as it is": "mm-abcdef-ghijkl-7",
    "letters and digits, at most 32": r"[0-9A-Za-z]{1,32}",
    "`t-` and at most 28 letters and digits": r"t-[0-9A-Za-z]{1,28}",
    "32 hexadecimal digits; `strategy_id` of at most seven letters": r"[0-9a-f]{32}",
    "`0x` and 32 hexadecimal digits; the same": r"0x[0-9a-f]{32}",
    "letters and digits, at most 30": r"[0-9A-Za-z]{1,30}",
}
"""What the page's words mean."""


def documented() -> dict[str, str]:
    """By exchange, what docs/live.md says that it gets."""
    text = (Path(__file__).resolve().parents[3] / "docs" / "live.md").read_text(encoding="utf-8")
    section = text.partition("## Client order ids")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([a-z, ]+?) \| (.+?) \|$", section, re.MULTILINE)
    return {name: shape for names, shape in rows if names != "exchange" for name in names.split(", ")}


def test_the_page_names_every_exchange_with_a_rule() -> None:
    assert {*documented()} == {*RULES, "any other"}


@pytest.mark.parametrize(("exchange", "shape"), documented().items())
def test_the_page_says_what_an_exchange_gets(exchange: str, shape: str) -> None:
    """By what is sent; and which strategies' names are too long for it."""
    text = ClientIds(exchange, frozenset({"mm"})).encode("mm-abcdef-ghijkl-7")
    assert re.fullmatch(SHAPES[shape], text), text
    assert (text == "mm-abcdef-ghijkl-7") == (shape == "the id as it is")
    longest = 7 if "hexadecimal" in shape else 12
    assert ClientIds(exchange, frozenset({"z" * longest})).encode(f"{'z' * longest}-zzzzzz-zzzzzz-{2**24 - 1}")
    if longest < 12:
        with pytest.raises(SettingsError, match="shorter"):
            ClientIds(exchange, frozenset({"z" * (longest + 1)}))
