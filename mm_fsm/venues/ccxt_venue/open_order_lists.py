"""Open orders of the account's markets: asked for market by market, or for all at once where that is cheaper.

Every market asks when it begins and after each reconnection, all of them together. Binance takes 6 of its weight for
one market's list and 80 for the account's; Kraken has the account's alone. Both show every order. Elsewhere lists end
at some length without a word, so that each market is asked for by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from attrs import define, field

from mm_fsm.venues.ccxt_venue.amounts import entry, text
from mm_fsm.venues.ccxt_venue.by_exchange import ByExchange
from mm_fsm.venues.ccxt_venue.pages import page_of_open_orders

CHEAPER_TOGETHER: Final = ByExchange({"binance": 14, "kraken": 2})
"""From how many markets on one list of the whole account is the cheaper question."""
GATHER_SECONDS: Final = 0.02
"""How long a question waits for others that one list would answer as well."""


@define(eq=False)
class OpenOrderLists:
    """Lists of open orders of one account.

    Args:
        exchange: for questions.
    """

    exchange: Any
    _asking: set[str] = field(factory=set, init=False)
    _gathering: asyncio.Task[Mapping[str, Any] | None] | None = field(default=None, init=False)

    async def of(self, symbol: str) -> Any:
        """Ccxt's list of one market's open orders, asked for after this call.

        Raises:
            Exception: what ccxt raises.
        """
        if self.exchange.id not in CHEAPER_TOGETHER:
            return await self._of_one(symbol)
        self._asking.add(symbol)
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().create_task(self._gathered())
        together = await asyncio.shield(self._gathering)
        return await self._of_one(symbol) if together is None else together.get(symbol, [])

    def may_go_on(self, answer: object) -> bool:
        """Whether orders may be missing from a list."""
        return page_of_open_orders(self.exchange).may_go_on(answer)

    async def _of_one(self, symbol: str) -> Any:
        return await self.exchange.fetch_open_orders(symbol, None, page_of_open_orders(self.exchange).limit)

    async def _gathered(self) -> Mapping[str, Any] | None:
        """The lists by market; None where each market is to be asked for by itself."""
        await asyncio.sleep(GATHER_SECONDS)
        asking, self._asking, self._gathering = self._asking, set(), None  # who asks from now on wants a later answer
        if len(asking) < CHEAPER_TOGETHER[self.exchange.id]:
            return None
        answer = await self.exchange.fetch_open_orders()
        if not isinstance(answer, list):
            return None
        by_market: dict[str, list[Any]] = {}
        for order in answer:
            symbol = text(entry(order, "symbol"))
            if symbol is None:
                return None  # whose it is nobody knows: an order may be missing from a market's list
            by_market.setdefault(symbol, []).append(order)
        return by_market
