"""Settings files for tests: one market that warms up in two seconds, and ways to change it."""

from __future__ import annotations

MARKET = """
[instrument]
symbol = "ETH/USD"
base_currency = "ETH"
quote_currency = "USD"
tick_size = 0.01
lot_size = 0.0001
minimum_quantity = 0.001

[fees]
maker_bps = 1
taker_bps = 5

[balances]
base = 10
quote = 20000

[strategy]
target_spread_bps = 4
min_spread_bps = 3
volatility_multiplier = 1
volatility_sample_seconds = 1
warm_up_samples = 2

[simulator]
start_price = 2000
seed = 7
"""
"""A round trip costs 2 bps in fees and must earn 1 bp more, so 3 bps is the narrowest spread."""


def with_line(table: str, line: str) -> str:
    """The market's settings with one more line in a table; a key that is there already is replaced."""
    key = line.partition("=")[0].strip()
    lines: list[str] = []
    current = ""
    for each in MARKET.splitlines():
        current = each.strip("[]") if each.startswith("[") else current
        if current != table or each.partition("=")[0].strip() != key:
            lines.append(each)
        if each == f"[{table}]":
            lines.append(line)
    if f"[{table}]" not in lines:
        lines += [f"[{table}]", line]
    return "\n".join(lines) + "\n"


def without(table: str, key: str | None = None) -> str:
    """The market's settings without one key of a table, or without the whole table."""
    kept: list[str] = []
    current = ""
    for each in MARKET.splitlines():
        current = each.strip("[]") if each.startswith("[") else current
        is_key = key is None or each.partition("=")[0].strip() == key
        if current != table or not is_key:
            kept.append(each)
    return "\n".join(kept) + "\n"


def market_entry(symbol: str) -> str:
    """The market as an entry of ``[[market]]``, with a symbol of its own."""
    entry = MARKET.replace('"ETH/USD"', f'"{symbol}"').replace("[", "[market.")
    return f"[[market]]\n{entry}"
