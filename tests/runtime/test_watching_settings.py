"""Settings of what others learn of a run: off by default, one set for a run, and no bad value gets in."""

from __future__ import annotations

import pytest

from mm_fsm.errors import SettingsError
from mm_fsm.runtime.settings_file import parse_settings
from mm_fsm.runtime.watching_settings import AlertKind, AlertSettings, MetricsSettings
from tests.runtime.settings_texts import MARKET, market_entry


def test_nothing_is_told_and_nothing_listens_unless_it_is_written() -> None:
    (market,) = parse_settings(MARKET)
    assert market.metrics == MetricsSettings()
    assert market.alerts == AlertSettings()
    assert not market.metrics.is_on
    assert not market.alerts.is_on


@pytest.mark.parametrize("lines", ["enabled = true", "port = 9464", "enabled = false\nport = 1"])
def test_metrics_are_on_where_somebody_wants_them(lines: str) -> None:
    (market,) = parse_settings(MARKET + f"[metrics]\n{lines}\n")
    assert market.metrics.is_on


def test_alerts_are_on_where_somebody_is_told() -> None:
    (market,) = parse_settings(MARKET + '[alerts]\ntargets_variable = "TARGETS"\nkinds = ["fault", "kill_switch"]\n')
    assert market.alerts.is_on
    assert market.alerts.kinds == ("fault", "kill_switch")
    (silent,) = parse_settings(MARKET + "[alerts]\nsummary_seconds = 30\n")
    assert not silent.alerts.is_on
    assert silent.alerts.kinds == tuple(AlertKind)


@pytest.mark.parametrize(
    ("table", "line", "key"),
    [
        ("metrics", "port = 0", "port"),
        ("metrics", "port = 65536", "port"),
        ("metrics", 'port = "9464"', "port"),
        ("metrics", "enabled = 1", "enabled"),
        ("alerts", 'targets_variable = ""', "targets_variable"),
        ("alerts", "targets_file = 3", "targets_file"),
        ("alerts", "kinds = []", "kinds"),
        ("alerts", 'kinds = ["fault", "fire"]', "kinds"),
        ("alerts", 'kinds = "fault"', "kinds"),
        ("alerts", "kinds = [1]", "kinds"),
        ("alerts", "summary_seconds = 0", "summary_seconds"),
        ("alerts", "summary_seconds = inf", "summary_seconds"),
        ("alerts", "max_messages = 4", "max_messages"),
        ("alerts", "message_interval_seconds = 0", "message_interval_seconds"),
        ("alerts", "unconfirmed_seconds = -1", "unconfirmed_seconds"),
        ("alerts", "wait_seconds = 61", "wait_seconds"),
        ("alerts", "wait_seconds = nan", "wait_seconds"),
        ("alerts", 'target = "json://host"', "target"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(table: str, line: str, key: str) -> None:
    with pytest.raises(SettingsError, match=rf"{table}\.{key}"):
        parse_settings(MARKET + f"[{table}]\n{line}\n")


@pytest.mark.parametrize(("table", "line"), [("metrics", "enabled = true"), ("alerts", 'targets_file = "x"')])
def test_markets_of_one_run_have_one_set(table: str, line: str) -> None:
    text = market_entry("A/USD") + f"[market.{table}]\n{line}\n" + market_entry("B/USD")
    with pytest.raises(SettingsError, match=f"setting '{table}': expected the same for A/USD and B/USD") as refused:
        parse_settings(text)
    assert f"[defaults.{table}]" in str(refused.value)
    both = parse_settings(f"[defaults.{table}]\n{line}\n" + market_entry("A/USD") + market_entry("B/USD"))
    assert getattr(both[0], table) == getattr(both[1], table) != type(getattr(both[0], table))()
