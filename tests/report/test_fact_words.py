"""One fact in a few words: no value is shown as the program writes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.books.facts import InstrumentUpdated
from mm_fsm.core.instrument import Instrument
from mm_fsm.report.fact_words import fact_words
from tests.machine.bench import Bench, settings_with
from tests.machine.storm import Operation, Storm, operations, sessions
from tests.strategies import SYMBOL


def test_a_value_that_has_fields_of_its_own_says_them_in_brackets() -> None:
    instrument = Instrument(
        symbol=SYMBOL, base_currency="BTC", quote_currency="USD", tick_size=Decimal("0.01"),
        lot_size=Decimal("0.001"), minimum_quantity=Decimal("0.001"), minimum_notional=Decimal(10),
    )  # fmt: skip
    fact = InstrumentUpdated(received_at=1, symbol=SYMBOL, instrument=instrument)
    assert fact_words(fact, Bench(settings_with()).machine.context) == (
        "instrument updated: instrument (base currency BTC, quote currency USD, tick size 0.01, lot size 0.001, "
        "minimum quantity 0.001, minimum notional 10, contract size 1, kind spot)"
    )


@settings(max_examples=10)
@given(session=sessions(), played=st.lists(operations(), min_size=20, max_size=40))
def test_no_fact_shows_how_the_program_writes_a_value(session: Any, played: list[Operation]) -> None:
    bench = Storm(session).play(played)
    for result in bench.results:
        words = fact_words(result.fact, bench.machine.context)
        assert "=" not in words
        assert "Decimal" not in words
