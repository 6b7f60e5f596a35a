"""What exchanges say of a key's permissions, in their own forms; whatever else they say is not known."""

from __future__ import annotations

from typing import Any

import pytest

from mm_fsm.errors import SettingsError
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.account.shared_account import check_permissions
from mm_fsm.venues.ccxt_venue.inspection import PERMISSION_ENDPOINTS
from mm_fsm.venues.inspection import Permissions

SAID: list[tuple[str, Any, Permissions]] = [
    (
        "binance",
        {"enableSpotAndMarginTrading": True, "enableWithdrawals": False},
        Permissions(trade=True, withdraw=False),
    ),
    (
        "binance",
        {"enableSpotAndMarginTrading": "true", "enableWithdrawals": "true"},
        Permissions(trade=True, withdraw=True),
    ),
    ("okx", {"data": [{"perm": "read_only,withdraw,trade"}]}, Permissions(trade=True, withdraw=True)),
    ("okx", {"data": [{"perm": "read_only"}]}, Permissions(trade=False, withdraw=False)),
    (
        "bybit",
        {"result": {"permissions": {"Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]}}},
        Permissions(trade=True, withdraw=False),
    ),
    (
        "bybit",
        {"result": {"permissions": {"Spot": [], "Wallet": ["AccountTransfer", "Withdraw"]}}},
        Permissions(trade=False, withdraw=True),
    ),
]


@pytest.mark.parametrize(("exchange", "answer", "permissions"), SAID)
def test_each_form_is_read(exchange: str, answer: Any, permissions: Permissions) -> None:
    """As the exchanges' documentations show them."""
    assert PERMISSION_ENDPOINTS[exchange][1](answer) == permissions


@pytest.mark.parametrize("exchange", sorted(PERMISSION_ENDPOINTS))
@pytest.mark.parametrize("answer", [None, {}, [], "x", {"data": []}, {"data": [None]}, {"result": {"permissions": {}}}])
def test_what_makes_no_sense_is_not_known(exchange: str, answer: Any) -> None:
    """Never a crash, and never a permission that nobody stated."""
    assert PERMISSION_ENDPOINTS[exchange][1](answer) == Permissions()


def test_a_key_that_may_withdraw_is_refused_unless_settings_allow_it() -> None:
    with pytest.raises(SettingsError, match="expected a key that may not withdraw, found 'one that may'"):
        check_permissions(Permissions(withdraw=True), AccountSettings())
    check_permissions(Permissions(withdraw=True), AccountSettings(allows_withdrawal_key=True))
    check_permissions(Permissions(), AccountSettings())


def test_a_key_that_may_not_trade_is_refused() -> None:
    with pytest.raises(SettingsError, match="expected a key that may trade"):
        check_permissions(Permissions(trade=False), AccountSettings())
