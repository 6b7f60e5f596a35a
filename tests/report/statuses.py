"""What ``status.json`` says of a market: of a real one that quotes, and in every shape that a view must show."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mm_fsm.core.decisions import FaultCode, HoldReason
from mm_fsm.report.plain_words import SELF_EVIDENT, ends_when, what_is_done, why_held
from mm_fsm.report.status import SessionStatus
from mm_fsm.runtime.session import for_session, open_session
from mm_fsm.runtime.settings_file import read_preset

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def quoting_market() -> dict[str, Any]:
    """The entry of a simulated market, once it has traded and quotes both sides."""
    session = open_session(for_session(read_preset("paper_ethusd"), duration_seconds=300, seed=7))
    status = SessionStatus(session)
    for result in session.runner.run():
        status.follow(result)
        if session.machine.context.fill_count and all(s.status is None for s in session.machine.context.sides.values()):
            break
    return status.entry()


texts: SearchStrategy[str] = st.one_of(
    st.sampled_from(
        [
            "",
            "older than 2 s",
            "worst case 12345.678901 in quote currency",
            "binance {'code':-1015,'msg':'Too many new orders; current limit is 50 orders per TEN_SECOND.'}",
            "\x1b[2J\x1b[1;31mgone\x07",
            "a\u202ereversed\u202c b",
            "mm-0123456789abcdef-0123456789abcdef-000001-of-a-very-long-client-order-identifier",
            "全角の文字は二つの欄を占める",
        ]
    ),
    st.text(max_size=60),
)
"""What venues and users write, control characters, wide and endless words among it."""
moments = st.integers(0, 200_000).map(lambda seconds: NOW - seconds * SECOND)
amounts = st.decimals(-1_000_000, 1_000_000, places=8).map(lambda value: f"{value:f}")
prices = st.decimals("0.00000001", 1_000_000, places=8).map(lambda value: f"{value.normalize():f}")
shares = st.one_of(st.none(), st.floats(0, 3))
counts = st.integers(0, 10**9)


def beginnings() -> SearchStrategy[dict[str, Any] | None]:
    """The step that made a side silent, or none that anybody saw."""
    return st.one_of(st.none(), st.fixed_dictionaries({"step": counts, "fact": texts}))


def decisions() -> SearchStrategy[dict[str, Any] | None]:
    """Who decided it, or nobody that anybody saw."""
    names = {"edges": st.lists(texts, max_size=2), "guard": texts, "service": texts}
    return st.one_of(st.none(), st.fixed_dictionaries(names))


@st.composite
def sides(draw: st.DrawFn) -> dict[str, Any]:
    """One side: live, or held for any reason."""
    reason = draw(st.one_of(st.none(), st.sampled_from(HoldReason)))
    detail = None if reason is None else "" if reason in SELF_EVIDENT else draw(texts)
    return {
        "is_live": reason is None,
        "reason": None if reason is None else reason.value,
        "why": None if reason is None else why_held(reason),
        "doing": None if reason is None else what_is_done(reason),
        "ends_when": None if reason is None else ends_when(reason),
        "began_with": None if reason is None else draw(beginnings()),
        "decided_by": None if reason is None else draw(decisions()),
        "detail": detail,
        "since": draw(st.one_of(st.none(), moments)),
        "until": draw(st.one_of(st.none(), moments)),
        "last_live_at": draw(st.one_of(st.none(), moments)),
    }


def orders() -> SearchStrategy[list[dict[str, Any]]]:
    """Own orders of one side."""
    order = st.fixed_dictionaries(
        {
            "price": prices,
            "remaining": prices,
            "distance_bps": st.one_of(st.none(), st.floats(-9_999, 9_999)),
            "status": st.sampled_from(["open", "pending_new", "unknown"]),
            "is_resting": st.booleans(),
            "purpose": st.sampled_from(["quote", "wind_down"]),
        }
    )
    return st.lists(order, max_size=5)


def limits() -> SearchStrategy[list[dict[str, Any]]]:
    """Any limits, near and far, known and not."""
    names = ["position", "exposure", "drawdown", "account: orders in 10 s", "points of the venue's counter", "data age"]
    limit = st.fixed_dictionaries(
        {
            "setting": st.just("max_drawdown"),
            "name": st.sampled_from(names),
            "used": st.one_of(st.none(), amounts, counts),
            "allowed": st.one_of(amounts, counts),
            "unit": st.sampled_from(["", "USD", "ETH", "1000SHIB", "s"]),
            "share": shares,
            "worst_share": shares,
            "then": st.just("it is a fault"),
        }
    )
    return st.lists(limit, max_size=9)


@st.composite
def faults(draw: st.DrawFn) -> dict[str, Any]:
    """A fault now, or none."""
    now = {"code": draw(st.sampled_from(FaultCode)).value, "reason": draw(texts), "since": draw(moments)}
    return {
        "noted": draw(counts),
        "now": draw(st.one_of(st.none(), st.just({**now, "is_transient": draw(st.booleans())}))),
        "latched": [],
        "doing": draw(st.sampled_from(["", "all orders are cancelled; 2 still to be confirmed gone"])),
    }


def stops() -> SearchStrategy[dict[str, Any] | None]:
    """A stop under way, or none."""
    stop = st.fixed_dictionaries(
        {
            "reason": texts,
            "keeps_position": st.booleans(),
            "deadline": st.one_of(st.none(), moments),
            "is_late": st.booleans(),
        }
    )
    return st.one_of(st.none(), stop)


@st.composite
def markets(draw: st.DrawFn) -> dict[str, Any]:
    """What a status says of the market."""
    figure = st.one_of(st.none(), st.floats(-1e6, 1e6))
    return {
        "bid": draw(st.one_of(st.none(), prices)), "ask": draw(st.one_of(st.none(), prices)),
        "reference": draw(st.one_of(st.none(), prices)), "spread_bps": draw(figure), "volatility_bps": draw(figure),
        "quoted_bid_spread_bps": draw(figure), "quoted_ask_spread_bps": draw(figure),
        "is_trading": draw(st.booleans()), "tick": "0.01", "base_currency": "ETH", "quote_currency": "USD",
    }  # fmt: skip


@st.composite
def profits(draw: st.DrawFn) -> dict[str, Any]:
    """What was earned, and the latest fill."""
    return {
        **{name: draw(amounts) for name in ("net_pnl", "spread_capture", "inventory_pnl", "fees", "funding")},
        "volume": draw(amounts), "last_fill_at": draw(st.one_of(st.none(), moments)),
    }  # fmt: skip


@st.composite
def inventories(draw: st.DrawFn) -> dict[str, Any]:
    """Where the position stands."""
    return {
        "position": draw(amounts), "offset": draw(amounts), "limit": draw(amounts), "use": draw(st.floats(0, 3)),
        "skew": draw(st.floats(-1, 1)),
    }  # fmt: skip


@st.composite
def feeds(draw: st.DrawFn) -> dict[str, Any]:
    """How old market data is, and whether news of own orders arrives."""
    return {
        "age_seconds": draw(st.one_of(st.none(), st.floats(0, 1e6))), "behind_seconds": 0.0,
        "stale_after_seconds": 10.0, "account_feed_loss": draw(st.one_of(st.none(), texts)),
        "refused_facts": draw(counts),
    }  # fmt: skip


@st.composite
def endings(draw: st.DrawFn, *, has_ended: bool) -> dict[str, Any]:
    """How the market has ended, or would be left."""
    outcomes = ["completed", "late", "fault"] if has_ended else ["unfinished", "fault"]
    return {
        "outcome": draw(st.sampled_from(outcomes)), "reason": draw(texts),
        "error": draw(st.one_of(st.none(), texts)), "at": draw(moments) if has_ended else None,
        "base_currency": "ETH", "is_book_confirmed_empty": draw(st.booleans()),
        "unconfirmed": draw(st.lists(texts, max_size=5)), "position": draw(amounts), "offset": draw(amounts),
        "below_lot": draw(st.sampled_from(["0", "0.00000001"])),
    }  # fmt: skip


@st.composite
def entries(draw: st.DrawFn, symbol: str | None = None) -> dict[str, Any]:
    """What a status says of one market."""
    edge = {
        "horizon_seconds": 30.0, "fills": draw(counts), "net_bps": 1.25, "minimum_fills": 30,
        "net_interval_bps": draw(st.one_of(st.none(), st.just([-2.5, 5.0]))), "widening_bps": draw(st.floats(0, 90)),
    }  # fmt: skip
    has_ended = draw(st.booleans())
    return {
        "symbol": symbol or draw(st.sampled_from(["ETH/USD", "BTC/USDT:USDT", "1000SHIB/USDT:USDT-260327"])),
        "state": draw(st.sampled_from(["idle", "monitoring_orders", "inventory_management", "error", "completed"])),
        "has_real_orders": draw(st.booleans()),
        "has_ended": has_ended,
        "ending": draw(endings(has_ended=has_ended)),
        "why_down": draw(st.one_of(st.none(), texts)),
        "time": NOW,
        "last_fact_at": draw(moments),
        "net_pnl": draw(amounts),
        "fills": draw(counts),
        "quote_edge": edge,
        "sides": {"bid": draw(sides()), "ask": draw(sides())},
        "market": draw(markets()),
        "quotes": {"bid": draw(orders()), "ask": draw(orders())},
        "profit": draw(profits()),
        "inventory": draw(inventories()),
        "limits": draw(limits()),
        "requests": {
            "suspended_until": draw(st.one_of(st.none(), moments)), "suspended_reason": draw(texts),
            "awaiting_answer": draw(st.integers(0, 9)),
        },
        "feed": draw(feeds()),
        "faults": draw(faults()),
        "unknown_orders": [
            {"order": draw(texts), "side": "bid", "since": draw(moments)} for _ in range(draw(st.integers(0, 3)))
        ],
        "pause": draw(st.one_of(st.none(), texts)),
        "stopping": draw(stops()),
        "journal_failure": draw(st.one_of(st.none(), texts)),
        "news": [
            {"time": draw(moments), "kind": kind, "words": draw(texts)}
            for kind in draw(st.lists(st.sampled_from(["fill", "fault"]), max_size=3))
        ],
    }  # fmt: skip
