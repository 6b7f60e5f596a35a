"""Answers to the account's owner about the account: balances, fees, permissions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from attrs import define

from mm_fsm.core.messages import Liquidity
from mm_fsm.testing.rehearsal.engine import MatchingEngine
from mm_fsm.testing.rehearsal.order_payloads import Payload, amount
from mm_fsm.testing.rehearsal.parameters import Parameters


@define(eq=False)
class AccountEndpoints:
    """What the account's owner may ask, once the signature was found right."""

    engine: MatchingEngine
    now: Callable[[], int]
    """The exchange's clock, milliseconds."""

    def account(self, parameters: Parameters) -> Payload:
        """Balances and fees."""
        maker, taker = self._rate(Liquidity.MAKER), self._rate(Liquidity.TAKER)
        wallet = self.engine.wallet
        return {
            "makerCommission": int(maker * 10_000),
            "takerCommission": int(taker * 10_000),
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {"maker": amount(maker), "taker": amount(taker), "buyer": amount(None), "seller": "0"},
            "canTrade": self.engine.terms.permissions.trading,
            "canWithdraw": self.engine.terms.permissions.withdrawals,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self.now(),
            "accountType": "SPOT",
            "balances": [
                {"asset": currency, "free": amount(wallet.free(currency)), "locked": amount(wallet.locked(currency))}
                for currency in wallet.currencies
                if parameters.values.get("omitZeroBalances") != "true" or wallet.totals()[currency]
            ],
            "permissions": ["SPOT"],
            "uid": 354937868,
        }

    def commission(self, parameters: Parameters) -> Payload:
        """The fees of one market."""
        market = self.engine.market(parameters.text("symbol"))
        none = {"maker": amount(None), "taker": amount(None), "buyer": amount(None), "seller": amount(None)}
        rates = {"maker": amount(self._rate(Liquidity.MAKER)), "taker": amount(self._rate(Liquidity.TAKER))}
        return {
            "symbol": market.market_id,
            "standardCommission": {**none, **rates},
            "specialCommission": none,
            "taxCommission": none,
            "discount": {
                "enabledForAccount": self.engine.terms.pays_fees_in_bnb,
                "enabledForSymbol": True,
                "discountAsset": "BNB",
                "discount": amount(1 - self.engine.terms.bnb_discount),
            },
        }

    def trade_fee(self, parameters: Parameters) -> list[Payload]:
        """The fees of one market or of all."""
        name = parameters.values.get("symbol")
        markets = self.engine.markets.values() if name is None else (self.engine.market(name),)
        maker, taker = self._rate(Liquidity.MAKER), self._rate(Liquidity.TAKER)
        return [
            {"symbol": market.market_id, "makerCommission": f"{maker:f}", "takerCommission": f"{taker:f}"}
            for market in markets
        ]

    def restrictions(self, _: Parameters) -> Payload:
        """What the key may do."""
        permissions = self.engine.terms.permissions
        return {
            "ipRestrict": permissions.ip_restricted,
            "createTime": 1_600_000_000_000,
            "enableReading": True,
            "enableSpotAndMarginTrading": permissions.trading,
            "enableWithdrawals": permissions.withdrawals,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": False,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enablePortfolioMarginTrading": False,
        }

    def bnb_burn(self, _: Parameters) -> Payload:
        """Whether fees are taken in BNB."""
        return {"spotBNBBurn": self.engine.terms.pays_fees_in_bnb, "interestBNBBurn": False}

    def currencies(self, _: Parameters) -> list[Payload]:
        """What there is of each currency; none of them can be moved in or out here."""
        wallet = self.engine.wallet
        names = {
            name: None
            for market in self.engine.markets.values()
            for name in (market.instrument.base_currency, market.instrument.quote_currency)
        }
        return [
            {
                "coin": name,
                "name": name,
                "trading": True,
                "isLegalMoney": False,
                "depositAllEnable": False,
                "withdrawAllEnable": False,
                "free": amount(wallet.free(name)),
                "locked": amount(wallet.locked(name)),
                "networkList": [],
            }
            for name in names
        ]

    def no_margin(self, _: Parameters) -> list[Payload]:
        """What can be traded on margin: nothing."""
        return []

    def _rate(self, liquidity: Liquidity) -> Decimal:
        return self.engine.terms.fees.rate(maker=liquidity is Liquidity.MAKER)
