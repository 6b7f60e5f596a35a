"""``[venue] kind = "ccxt"``: real orders at an exchange, through ccxt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final

from attrs import evolve, field, frozen

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.core.settings_tables import dotted, structured
from mm_fsm.core.validation import number, real
from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.keys import Keys, keys_from_environment, keys_from_file
from mm_fsm.venues.ccxt_venue.library import REHEARSAL, maker_of
from mm_fsm.venues.ccxt_venue.patience import OPENING_SECONDS
from mm_fsm.venues.ccxt_venue.venue import CcxtVenue
from mm_fsm.venues.ccxt_venue.wanted import WantedAccount, WantedMarket
from mm_fsm.venues.port import MarketRequest, PushedPlan
from mm_fsm.venues.tokens import random_token

_SHORTEST_VALIDITY_SECONDS: Final = 10.0
"""A placement can reach the book so late: waiting before it leaves, the receive window, what clocks differ by."""


@frozen(kw_only=True)
class CcxtTable:
    """``[venue]`` for this kind. Keys themselves never stand in settings."""

    exchange: str
    """As ccxt names it, such as ``binance``."""
    factory: str | None = None
    """``module:function`` that makes exchange objects in place of ccxt's class; it brings keys of its own."""
    sandbox: bool = False
    """Whether the exchange's test environment is used."""
    account: str | None = None
    """A name for the account, the same for every key of it, where the exchange does not say its number."""
    api_key_variable: str | None = None
    """Environment variable with the API key."""
    secret_variable: str | None = None
    password_variable: str | None = None
    uid_variable: str | None = None
    key_file: str | None = None
    """File in TOML with ``apiKey`` and ``secret``, readable by its owner only, in place of the variables."""
    opening_seconds: float = field(
        default=OPENING_SECONDS, converter=real, validator=number(at_least=0, at_most=86_400)
    )
    """How long a start tries again where the exchange does not answer, is in maintenance, or bans for a time."""


@frozen(kw_only=True)
class CcxtPlan:
    """One market of one account."""

    table: CcxtTable
    place: str
    strategy: MarketMakingSettings
    instrument: Instrument | None
    fees: Fees | None
    balances: Balances
    is_live: ClassVar[bool] = True
    journal_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({"record_market_data": False, "synchronise": True})
    reference_price: ClassVar[Decimal | None] = None

    @property
    def connection(self) -> str:
        """Markets with the same exchange, keys and account share a connection."""
        return f"ccxt {self.table!r}"

    @property
    def place_name(self) -> str:
        """Exchange, account as far as settings name it, and whether it is only a test."""
        table = self.table
        made_by = table.factory or ""
        parts = [
            table.exchange,
            f"account {table.account}" if table.account is not None else "",
            "its test environment" if table.sandbox else "",
            "a rehearsal on this machine" if made_by.startswith(REHEARSAL) else f"made by {made_by}" if made_by else "",
        ]
        return ", ".join(filter(None, parts))

    def for_session(
        self, strategy: MarketMakingSettings, *, duration_seconds: float | None, seed: int | None
    ) -> tuple[MarketMakingSettings, CcxtPlan]:
        """A session of so many seconds; nothing is drawn at random."""
        if seed is not None:
            raise SettingsError("--seed", "nothing for a live venue", seed, "Leave it out: the market decides.")
        if duration_seconds is not None:
            strategy = evolve(strategy, session_seconds=duration_seconds)
        return strategy, evolve(self, strategy=strategy)

    def connect(self, plans: Sequence[PushedPlan]) -> CcxtVenue:
        """The venue for these plans, all of one account.

        Raises:
            SettingsError: keys, exchange or factory are not there, or a strategy's name is too long for its order ids.
        """
        place, table = dotted(self.place, "venue"), self.table
        make = maker_of(table.exchange, table.factory, dotted(place, "exchange"), dotted(place, "factory"))
        account = WantedAccount(
            exchange=table.exchange,
            make=make,
            keys=self._keys(place),
            sandbox=table.sandbox,
            account=table.account,
            opening_seconds=table.opening_seconds,
        )
        mine = [plan for plan in plans if isinstance(plan, CcxtPlan)]
        return CcxtVenue(account, [_market(plan) for plan in mine], random_token)

    def _keys(self, place: str) -> Keys:
        table = self.table
        variables = {
            "apiKey": table.api_key_variable,
            "secret": table.secret_variable,
            "password": table.password_variable,
            "uid": table.uid_variable,
        }
        is_named = any(variables.values())
        if table.key_file is not None:
            if is_named:
                remedy = "Leave one of the two out."
                raise SettingsError(dotted(place, "key_file"), "keys from one place", "a file and variables", remedy)
            return keys_from_file(Path(table.key_file).expanduser())
        if not is_named and table.factory is None:
            remedy = "Name environment variables with api_key_variable and secret_variable, or a key_file."
            raise SettingsError(dotted(place, "api_key_variable"), "where the account's keys are", "nothing", remedy)
        return keys_from_environment(variables)


class CcxtKind:
    """Reads ``[venue]``."""

    tables: Final[Mapping[str, type]] = MappingProxyType({"venue": CcxtTable})

    def plan(self, market: MarketRequest) -> CcxtPlan:
        """Read the table.

        Raises:
            SettingsError: it is wrong, or an order could arrive after the machine has given it up.
        """
        table = structured(CcxtTable, market.tables.get("venue", {}), dotted(market.place, "venue"))
        validity = market.strategy.validity_window_seconds
        if validity < _SHORTEST_VALIDITY_SECONDS:
            place = dotted(market.place, "strategy.validity_window_seconds")
            expected = f"at least {_SHORTEST_VALIDITY_SECONDS:g}: a placement may reach the book so late"
            raise SettingsError(place, expected, validity, "Leave it out, or write more.")
        return CcxtPlan(
            table=table,
            place=market.place,
            strategy=market.strategy,
            instrument=market.instrument,
            fees=market.fees,
            balances=market.balances,
        )


def _market(plan: CcxtPlan) -> WantedMarket:
    return WantedMarket(
        symbol=plan.strategy.symbol,
        strategy_id=plan.strategy.strategy_id,
        most_orders=plan.strategy.max_live_orders,
        instrument=plan.instrument,
        fees=plan.fees,
        balances=plan.balances,
    )
