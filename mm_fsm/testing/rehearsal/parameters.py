"""A request's parameters, and the proof that they come from the account's owner."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from attrs import frozen

from mm_fsm.core.messages import Side
from mm_fsm.testing.rehearsal.refusals import NOT_PERMITTED, RefusedError, missing
from mm_fsm.testing.rehearsal.venue_orders import InForce, OrderRequest, OrderType

_DEFAULT_WINDOW: Final = 5000
_LARGEST_WINDOW: Final = 60_000
_TOLERATED_AHEAD: Final = 1000
"""Milliseconds that a client's clock may be ahead."""
_CLIENT_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_SIGNATURE: Final = re.compile(r"(?:^|&)signature=([^&]*)")
_Word = TypeVar("_Word", OrderType, InForce)
_SIDES: Final = {"BUY": Side.BID, "SELL": Side.ASK}


@frozen
class Parameters:
    """What a request says, by name."""

    values: Mapping[str, str]

    @classmethod
    def of(cls, query: str, body: str = "") -> Parameters:
        """Read a query string and a form."""
        return cls(dict(parse_qsl(query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True)))

    def text(self, name: str) -> str:
        """A parameter that must be there.

        Raises:
            RefusedError: it is missing or empty.
        """
        value = self.values.get(name)
        if not value:
            raise missing(name)
        return value

    def integer(self, name: str) -> int | None:
        """A whole number; None where it is missing.

        Raises:
            RefusedError: it is no whole number.
        """
        value = self.values.get(name)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise missing(name) from None

    def decimal(self, name: str) -> Decimal | None:
        """A positive number; None where it is missing.

        Raises:
            RefusedError: it is not a positive finite number.
        """
        value = self.values.get(name)
        if value is None:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise RefusedError(-1100, f"Illegal characters found in parameter '{name}'.") from None
        if not number.is_finite() or number <= 0:
            raise RefusedError(-1100, f"Illegal characters found in parameter '{name}'.")
        return number

    def client_id(self, name: str) -> str:
        """A client id.

        Raises:
            RefusedError: it is missing, or not of the kind the exchange takes.
        """
        value = self.text(name)
        if not _CLIENT_ID.fullmatch(value):
            raise RefusedError(-1100, f"Illegal characters found in parameter '{name}'; legal is {_CLIENT_ID.pattern}.")
        return value

    def order(self, generated_id: str) -> OrderRequest:
        """The placement that the parameters describe.

        Args:
            generated_id: the client id when the client gives none.

        Raises:
            RefusedError: something is missing, wrong or not wanted.
        """
        side = _SIDES.get(self.text("side"))
        if side is None:
            raise RefusedError(-1117, "Invalid side.")
        kind = _member(OrderType, self.text("type"), RefusedError(-1116, "Invalid orderType."))
        is_market = kind is OrderType.MARKET
        in_force = InForce.GTC
        if kind is OrderType.LIMIT:
            in_force = _member(InForce, self.text("timeInForce"), RefusedError(-1115, "Invalid timeInForce."))
        quantity, quote_quantity = self.decimal("quantity"), self.decimal("quoteOrderQty") if is_market else None
        if (quantity is None) is (quote_quantity is None):
            raise missing("quantity")
        price = None if is_market else self.decimal("price")
        if price is None and not is_market:
            raise missing("price")
        return OrderRequest(
            symbol=self.text("symbol"),
            side=side,
            type=kind,
            in_force=in_force,
            quantity=quantity,
            price=price,
            client_order_id=self.client_id("newClientOrderId") if "newClientOrderId" in self.values else generated_id,
            quote_quantity=quote_quantity,
        )


def _member(words: type[_Word], value: str, refused: RefusedError) -> _Word:
    try:
        return words(value)
    except ValueError:
        raise refused from None


@frozen(repr=False)
class Key:
    """The account's key and secret; the secret is shown nowhere."""

    api_key: str
    secret: str

    def check(self, given_key: str | None, payload: str, signature: str | None) -> None:
        """Refuse who is not the owner.

        Args:
            given_key: the key that the request names.
            payload: what was signed.
            signature: hexadecimal HMAC-SHA256 of it.

        Raises:
            RefusedError: the key or the signature is missing or wrong.
        """
        if not given_key:
            raise RefusedError(-2014, "API-key format invalid.", 401)
        if given_key != self.api_key:
            raise RefusedError(*NOT_PERMITTED, 401)
        if not signature:
            raise missing("signature")
        expected = hmac.new(self.secret.encode(), payload.encode(), sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            raise RefusedError(-1022, "Signature for this request is not valid.")


def signed_payload(query: str, body: str) -> tuple[str, str | None]:
    """What a request's signature is of, and the signature: query string and form as they were sent, without it."""
    whole = query + body
    found = _SIGNATURE.search(whole)
    return _SIGNATURE.sub("", whole), None if found is None else found.group(1)


def check_window(parameters: Parameters, now: int) -> None:
    """Refuse a request that is too old, or from a clock that is ahead. ``now``: milliseconds.

    Raises:
        RefusedError: so it is.
    """
    timestamp = parameters.integer("timestamp")
    if timestamp is None:
        raise missing("timestamp")
    window = parameters.integer("recvWindow")
    window = _DEFAULT_WINDOW if window is None else window
    if window > _LARGEST_WINDOW:
        raise RefusedError(-1131, "recvWindow must be less than 60000")
    if timestamp > now + _TOLERATED_AHEAD:
        raise RefusedError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - timestamp > window:
        raise RefusedError(-1021, "Timestamp for this request is outside of the recvWindow.")
