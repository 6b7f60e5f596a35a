"""What the books held when the following began: earlier processes' figures, which are not the run's."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.exact import EXACT


@frozen(kw_only=True)
class BookSums:
    """Sums over the whole life of a market's books. Those of two moments subtract exactly.

    Amounts are quote currency, quantities contracts.
    """

    volume: Decimal
    volume_reference: Decimal
    """Sum of quantity * m at the fill."""
    funding: Decimal
    external_flows: Decimal
    realized: Decimal
    unrealized: Decimal
    """Of what is held: its change is what came to it since, and what was closed of it left."""
    maker_fills: int
    acknowledged_maker_quantity: Decimal
    filled_maker_quantity: Decimal

    @classmethod
    def of(cls, context: MarketMakingContext) -> BookSums:
        """As the books stand."""
        ledger = context.ledger
        return cls(
            volume=ledger.volume_quote,
            volume_reference=ledger.volume_reference,
            funding=ledger.funding_received,
            external_flows=ledger.external_flows,
            realized=ledger.realized_pnl,
            unrealized=ledger.unrealized_pnl,
            maker_fills=context.maker_fill_count,
            acknowledged_maker_quantity=context.acknowledged_maker_quantity,
            filled_maker_quantity=context.filled_maker_quantity,
        )

    def since(self, begin: BookSums) -> BookSums:
        """What came to each sum since ``begin``."""
        return BookSums(
            volume=EXACT.subtract(self.volume, begin.volume),
            volume_reference=EXACT.subtract(self.volume_reference, begin.volume_reference),
            funding=EXACT.subtract(self.funding, begin.funding),
            external_flows=EXACT.subtract(self.external_flows, begin.external_flows),
            realized=EXACT.subtract(self.realized, begin.realized),
            unrealized=EXACT.subtract(self.unrealized, begin.unrealized),
            maker_fills=self.maker_fills - begin.maker_fills,
            acknowledged_maker_quantity=EXACT.subtract(
                self.acknowledged_maker_quantity, begin.acknowledged_maker_quantity
            ),
            filled_maker_quantity=EXACT.subtract(self.filled_maker_quantity, begin.filled_maker_quantity),
        )
