"""Where orders go, in the words of the first line of a run: exchange, account, whether it is a test; no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from mm_fsm.cli.running import _what_is_shown
from mm_fsm.runtime.settings_file import read_settings
from tests.cli.command_line import write_settings
from tests.runtime.settings_texts import without

LIVE = """
[venue]
kind = "ccxt"
live = true
exchange = "binance"
api_key_variable = "MY_KEY"
secret_variable = "MY_SECRET"
"""
FACTORY = 'factory = "mm_fsm.testing.rehearsal.client:rehearsal_exchange"\n'


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("", "binance"),
        ('account = "main"\n', "binance, account main"),
        ("sandbox = true\n", "binance, its test environment"),
        (FACTORY, "binance, a rehearsal on this machine"),
        ('factory = "mine:make"\n', "binance, made by mine:make"),
    ],
)
def test_the_first_line_says_where_real_orders_go(tmp_path: Path, more: str, where: str) -> None:
    configurations = read_settings(write_settings(tmp_path, without("simulator") + LIVE + more))
    first, _ = _what_is_shown(configurations, tmp_path, is_real_time=True)
    assert first == f"making ETH/USD with REAL orders at {where}"
