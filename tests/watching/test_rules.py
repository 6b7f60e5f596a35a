"""The rules for Prometheus that are shipped as an example name metrics, labels and values that there are."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from mm_fsm.chart import definition_of
from mm_fsm.core.decisions import FaultCode
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.watching.run_metrics import FAMILIES, READ_AT

RULES = Path(__file__).resolve().parents[2] / "docs" / "alerts.rules.yml"
LABELS = {family.name: {*family.labels, "symbol"} for family in FAMILIES} | {READ_AT: set()}


def test_every_rule_reads_a_metric_that_there_is() -> None:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    assert len(group["rules"]) == 10
    for rule in group["rules"]:
        used = re.findall(r"(mm_fsm_\w+|up)(?:\{([^}]*)\})?", rule["expr"])
        assert used, rule["alert"]
        for name, matchers in used:
            assert name == "up" or {*re.findall(r"(\w+)!?=", matchers)} <= LABELS[name], rule["alert"]
        shown = {*re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])}
        assert all(name == "up" or shown <= LABELS[name] for name, _ in used), rule["alert"]


def test_every_value_of_a_label_is_one() -> None:
    text = RULES.read_text(encoding="utf-8")
    states = {state.id for state in definition_of(MarketMakingStateMachine).states}
    assert {*re.findall(r'state="(\w+)"', text)} <= states
    codes = {code for found in re.findall(r'code=~"([\w|]+)"', text) for code in found.split("|")}
    assert codes <= {code.value for code in FaultCode}
    assert codes
