"""What the pinned ccxt says that each exchange can do, what this venue makes of it, and which tests cover it.

python -m tests.venues.ccxt_venue.exchange_table --write docs/exchanges.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import ccxt.pro

from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.account import CANCELS_BY_CLIENT_ID, FINDS_BY_CLIENT_ID, HAS_SWITCH
from mm_fsm.venues.ccxt_venue.client_ids import RULES, ClientIds
from tests.venues.ccxt_venue.raw_samples import ORDERS

BEGIN: Final = "<!-- table: python -m tests.venues.ccxt_venue.exchange_table -->"
END: Final = "<!-- end of the table -->"
EXCHANGES: Final = tuple(sorted({*RULES, *ORDERS, *FINDS_BY_CLIENT_ID, *CANCELS_BY_CLIENT_ID, *HAS_SWITCH}))
REHEARSED: Final = frozenset({"binance"})
"""Those that a test trades at: the rehearsal exchange answers as this one does."""
COLUMNS: Final = (
    "exchange",
    "books",
    "own orders",
    "own trades",
    "an order is found by our id",
    "cancelled by our id",
    "switch",
    "sandbox",
    "tests",
)


def source(exchange: Any, stream: str, question: str | None) -> str:
    """Where news comes from, as the venue chooses."""
    if exchange.has.get(stream):
        return "stream"
    return "asked for" if question is not None and exchange.has.get(question) else "answers only"


def refusal(exchange: Any) -> str | None:
    """Why this exchange cannot be traded; None where it can."""
    if not (exchange.features or {}).get("spot"):
        return "refused: it has no spot markets"
    if exchange.precisionMode == ccxt.SIGNIFICANT_DIGITS:
        return "refused: it counts significant digits"
    try:
        ClientIds(exchange.id, frozenset({"mm"}))
    except SettingsError:
        return "refused: its client ids cannot hold ours"
    return None


def tests_of(name: str) -> str:
    """What of this exchange a test covers."""
    kinds = {"ids": name in RULES, "parsers": name in ORDERS, "**traded**": name in REHEARSED}
    return ", ".join(kind for kind, is_there in kinds.items() if is_there) or "none"


def row(name: str) -> str:
    """One row of the table."""
    exchange = getattr(ccxt.pro, name)()
    refused = refusal(exchange)
    if refused is not None:
        return f"| {' | '.join((name, refused, *([''] * (len(COLUMNS) - 3)), tests_of(name)))} |"
    cells = (
        name,
        source(exchange, "watchOrderBook", "fetchOrderBook"),
        source(exchange, "watchOrders", None),
        source(exchange, "watchMyTrades", "fetchMyTrades"),
        "yes" if name in FINDS_BY_CLIENT_ID else "in lists",
        "yes" if name in CANCELS_BY_CLIENT_ID else "no",
        "yes" if name in HAS_SWITCH else "no",
        "yes" if exchange.urls.get("test") else "no",
        tests_of(name),
    )
    return f"| {' | '.join(cells)} |"


def table() -> str:
    """The whole table."""
    head = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"
    return "\n".join((head, *map(row, EXCHANGES)))


def main() -> int:
    """Print the table, or put it into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="a page that has the table between its two comments")
    options = parser.parse_args()
    if options.write is None:
        sys.stdout.write(table() + "\n")
        return 0
    before, _, rest = options.write.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    options.write.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
