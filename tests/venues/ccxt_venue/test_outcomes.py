"""The table of vendor errors, entry by entry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import ccxt
import pytest
from ccxt.base import errors
from ccxt.base.errors import error_hierarchy

from mm_fsm.core.messages import RejectionCode as Code
from mm_fsm.venues.ccxt_venue.outcomes import OUTCOMES, Outcome, is_clock_error, outcome_of, retry_after_seconds

SURELY_WITHOUT_EFFECT = {
    "AuthenticationError": Code.NOT_PERMITTED,
    "PermissionDenied": Code.NOT_PERMITTED,
    "AccountNotEnabled": Code.NOT_PERMITTED,
    "AccountSuspended": Code.NOT_PERMITTED,
    "ArgumentsRequired": Code.OTHER,
    "BadRequest": Code.FILTER,
    "BadSymbol": Code.FILTER,
    "OperationRejected": Code.OTHER,
    "NoChange": Code.OTHER,
    "MarginModeAlreadySet": Code.OTHER,
    "MarketClosed": Code.NOT_TRADING,
    "ManualInteractionNeeded": Code.NOT_PERMITTED,
    "RestrictedLocation": Code.NOT_PERMITTED,
    "InsufficientFunds": Code.INSUFFICIENT_FUNDS,
    "InvalidAddress": Code.OTHER,
    "AddressPending": Code.OTHER,
    "InvalidOrder": Code.FILTER,
    "OrderImmediatelyFillable": Code.POST_ONLY,
    "OrderNotFillable": Code.OTHER,
    "ContractUnavailable": Code.NOT_TRADING,
    "NotSupported": Code.OTHER,
    "InvalidProxySettings": Code.OTHER,
    "InvalidNonce": Code.CLOCK,
}
AMBIGUOUS = {
    "BaseError", "ExchangeError", "DuplicateOrderId", "ExchangeClosedByUser", "OperationFailed", "NetworkError",
    "ExchangeNotAvailable", "OnMaintenance", "ChecksumError", "RequestTimeout", "BadResponse", "NullResponse",
    "CancelPending", "UnsubscribeError",
}  # fmt: skip
"""Time-outs, dropped connections, 5xx and torn bodies were each seen to leave a live order; none of these says more."""


def _names(tree: Mapping[str, Any]) -> Iterator[str]:
    for name, below in tree.items():
        yield name
        yield from _names(below)


ALL = sorted({*_names(error_hierarchy)})


def test_each_error_of_the_vendor_is_judged_here() -> None:
    others = {"OrderNotFound", "OrderNotCached", "DDoSProtection", "RateLimitExceeded"}
    assert {*ALL} == {*SURELY_WITHOUT_EFFECT} | AMBIGUOUS | others
    assert {name for name in OUTCOMES if " " not in name} <= {*ALL}


@pytest.mark.parametrize("name", sorted(SURELY_WITHOUT_EFFECT))
def test_a_refusal_has_had_no_effect(name: str) -> None:
    assert outcome_of(getattr(errors, name)("no")) == (Outcome.REFUSED, SURELY_WITHOUT_EFFECT[name])


@pytest.mark.parametrize(
    ("exchange", "answer", "code"),
    [
        ("binance", '{"code":-2020,"msg":"Unable to fill."}', Code.NOT_FILLED),
        ("binanceusdm", '{"code":-5021,"msg":"Due to the order could not be filled ..."}', Code.NOT_FILLED),
        ("binanceusdm", '{"code":-5022,"msg":"Due to the order could not be executed as maker, ..."}', Code.POST_ONLY),
        ("krakenfutures", "createOrder failed due to iocWouldNotExecute", Code.NOT_FILLED),
        ("aster", '{"code":-1014,"msg":"Unsupported order combination."}', Code.OTHER),
        ("bybit", "no", Code.OTHER),
    ],
)  # fmt: skip
def test_an_order_that_met_nobody_is_known_where_the_exchange_says_so_in_a_code(
    exchange: str, answer: str, code: Code
) -> None:
    """Each as the exchange's documentation has it; ccxt raises the same class for all of them."""
    error = errors.OrderNotFillable(f"{exchange} {answer}")
    assert outcome_of(error, exchange=exchange) == (Outcome.REFUSED, code)


@pytest.mark.parametrize(
    ("exchange", "error", "code"),
    [
        ("bybit", {"retCode": 170218, "retMsg": "The LIMIT-MAKER order is rejected ..."}, Code.POST_ONLY),
        ("bybiteu", {"retCode": 170218, "retMsg": "The LIMIT-MAKER order ..."}, Code.POST_ONLY),
        ("cryptocom", {"code": 43004, "message": "IOC order has not been filled and cancelled"}, Code.NOT_FILLED),
        ("deribit", {"error": {"code": 11054, "message": "post_only_reject"}}, Code.POST_ONLY),
        ("deribit", {"error": None}, Code.FILTER),
        ("kraken", {"code": 43004}, Code.FILTER),
    ],
)  # fmt: skip
def test_a_refusal_that_ccxt_has_no_word_for_is_known_by_its_code(exchange: str, error: Any, code: Code) -> None:
    """Each as ccxt's own table of the exchange explains it; for all of them ccxt says that the order is invalid."""
    raised = errors.InvalidOrder(f"{exchange} {json.dumps(error)}")
    assert outcome_of(raised, exchange=exchange) == (Outcome.REFUSED, code)


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("Order could not immediately match against any resting orders. asset=1", Code.NOT_FILLED),
        ("Post only order would have immediately matched, bbo was 1@2. asset=1", Code.POST_ONLY),
        ("Order must have minimum value of $10. asset=1", Code.FILTER),
    ],
)
def test_where_an_exchange_has_no_codes_its_sentence_says_why_it_refused(sentence: str, code: Code) -> None:
    """An order that met nobody is no fault of the strategy's. ccxt's own hyperliquid raises the error."""
    answer = {"status": "ok", "response": {"type": "order", "data": {"statuses": [{"error": sentence}]}}}
    with pytest.raises(errors.InvalidOrder) as raised:
        ccxt.hyperliquid().handle_errors(200, "", "", "POST", {}, json.dumps(answer), answer, {}, "")
    assert outcome_of(raised.value, exchange="hyperliquid") == (Outcome.REFUSED, code)
    assert outcome_of(raised.value, exchange="binance") == (Outcome.REFUSED, Code.FILTER)
    unanswered = errors.RequestTimeout(f"hyperliquid {sentence}")
    assert outcome_of(unanswered, exchange="hyperliquid")[0] is Outcome.UNKNOWN, "a sentence makes no refusal"


@pytest.mark.parametrize("name", sorted(AMBIGUOUS))
def test_an_ambiguous_error_is_no_outcome(name: str) -> None:
    assert outcome_of(getattr(errors, name)("perhaps"))[0] is Outcome.UNKNOWN


@pytest.mark.parametrize("name", ["OrderNotFound", "OrderNotCached"])
def test_not_found_means_go_and_look(name: str) -> None:
    assert outcome_of(getattr(errors, name)("gone"))[0] is Outcome.NOT_FOUND


@pytest.mark.parametrize("name", ["DDoSProtection", "RateLimitExceeded"])
def test_a_limit_counts_as_a_refusal_only_when_the_exchange_says_when_to_ask_again(name: str) -> None:
    """A request that a proxy turned away looks the same, and may have arrived."""
    error = getattr(errors, name)("too many")
    assert outcome_of(error, is_retry_told=True) == (Outcome.SUSPENDED, Code.RATE_LIMIT)
    assert outcome_of(error)[0] is Outcome.UNKNOWN


LIMITS = [
    ("binance", "1", '{"code":-1015,"msg":"Too many new orders; current limit is 50 orders per 10 SECOND."}', True),
    ("binance", "1", '{"code":-1003,"msg":"Way too much request weight used; IP banned until -1015."}', False),
    ("binance", "1015", "", False),
    ("binance", "1015", '{"code":-1003,"msg":"Too many requests."}', False),
    ("binance", "1", "<html>-1015</html>", False),
    ("binance", "1", '{"code":', False),
    ("bybit", "1", '{"code":-1015}', False),
]


@pytest.mark.parametrize(("exchange", "number", "body", "is_about_orders"), LIMITS)
@pytest.mark.parametrize("status", [418, 429])
def test_a_spent_budget_of_orders_is_known_by_its_exchange_and_its_code_alone(
    exchange: str, number: str, body: str, is_about_orders: bool, status: int
) -> None:
    """Neither by a number of ours in the address, nor by an exchange's words: those are bans, which keep cancels back.

    ccxt's own binance raises the error.
    """
    ours = f"https://api.binance.com/api/v3/order?symbol=ETHUSDT&origClientOrderId=mm-abcdef-ghijkl-{number}"
    parsed = json.loads(body) if body.endswith("}") else None
    client = ccxt.binance()
    with pytest.raises((errors.DDoSProtection, errors.RateLimitExceeded)) as raised:  # noqa: PT012 - as ccxt's fetch
        client.handle_errors(status, "I'm a teapot", ours, "DELETE", {}, body, parsed, {}, None)
        client.handle_http_status_code(status, "I'm a teapot", ours, "DELETE", body)
    outcome = outcome_of(raised.value, exchange=exchange, is_retry_told=True)
    expected = Outcome.ORDERS_SUSPENDED if is_about_orders else Outcome.SUSPENDED
    assert outcome == (expected, Code.RATE_LIMIT)
    assert outcome_of(raised.value, exchange=exchange)[0] is Outcome.UNKNOWN


def test_a_duplicate_is_never_read_as_a_rejection() -> None:
    """Binance's -2010 "Duplicate order sent." is InvalidOrder: the order of that id rests."""
    error = errors.InvalidOrder('binance {"code":-2010,"msg":"Duplicate order sent."}')
    assert outcome_of(error) == (Outcome.UNKNOWN, Code.DUPLICATE)


@pytest.mark.parametrize("error", [KeyError("spot"), TypeError(), OSError("reset"), TimeoutError()])
def test_what_is_no_error_of_the_vendor_is_ambiguous(error: Exception) -> None:
    assert outcome_of(error)[0] is Outcome.UNKNOWN


def test_clock_errors_are_told_from_gaps_in_a_book() -> None:
    assert is_clock_error(errors.InvalidNonce("-1021"))
    assert not is_clock_error(errors.ChecksumError("gap"))
    assert not is_clock_error(errors.RequestTimeout("late"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "12"}, 12.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "-3"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_how_long_to_wait_is_read_from_the_answer(headers: object, seconds: float | None) -> None:
    assert retry_after_seconds(SimpleNamespace(last_response_headers=headers)) == seconds
