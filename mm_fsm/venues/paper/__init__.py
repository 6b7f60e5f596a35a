"""A paper exchange: a simulated venue that answers as a real one would, and fills no better than one would.

It is product code: a demo, a backtest and a property test trade on the same exchange. Requests act after a latency,
orders keep price-time priority behind everybody who was there first, balances are exact and limited, and a bad
request is refused with the code a real venue would use. ``exchange`` says what happens when; ``matching`` says when
an order fills; ``displayed`` what the market shows and how much of it is left; ``accounts`` keeps the money.
``orders`` keeps the orders, ``placement`` checks new ones, ``deliveries`` takes messages there and back in time.
``venue`` puts the exchange and its market behind the port; ``kind`` and ``settings`` say what can be written of both.
"""

from mm_fsm.venues.paper.exchange import PaperExchange
from mm_fsm.venues.paper.kind import PaperAccount, PaperPlan
from mm_fsm.venues.paper.orders import OpenOrder
from mm_fsm.venues.paper.settings import PaperSettings, QueueModel
from mm_fsm.venues.paper.venue import PaperVenue, paper_terms

__all__ = [
    "OpenOrder",
    "PaperAccount",
    "PaperExchange",
    "PaperPlan",
    "PaperSettings",
    "PaperVenue",
    "QueueModel",
    "paper_terms",
]
