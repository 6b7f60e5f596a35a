"""Figures for Prometheus agree with the machine's own counters, follow the chart, and keep the conventions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from mm_fsm import MarketMakingStateMachine, State
from mm_fsm.chart import definition_of
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND, seconds
from mm_fsm.core.decisions import HoldReason
from mm_fsm.runtime.session import PulledSession, for_session, open_session
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.watching.chart_metrics import CHART_FAMILIES
from mm_fsm.watching.market_metrics import MARKET_FAMILIES
from mm_fsm.watching.metric_families import MetricKind
from mm_fsm.watching.run_metrics import RunMetrics

FAMILIES = (*CHART_FAMILIES, *MARKET_FAMILIES)
SYMBOL = "ETH/USD"


class Newsworthy(MarketMakingStateMachine):
    """Waits in a state of its own for ten seconds of every minute."""

    reading_news = State("READING_NEWS")
    news_came = MarketMakingStateMachine.monitoring_orders.to(reading_news, cond="is_news_time")
    news_were_read = reading_news.to(MarketMakingStateMachine.idle, unless="is_news_time")

    def is_news_time(self) -> bool:
        """From second 40 to second 50 of every minute."""
        return 40 <= seconds(self.context.now) % 60 < 50

    def find_wake_time(self) -> int | None:
        """The next full ten seconds."""
        step = 10 * NANOSECONDS_PER_SECOND
        return (self.context.now // step + 1) * step


def opened(machine_class: type[MarketMakingStateMachine] = MarketMakingStateMachine) -> PulledSession:
    configuration = for_session(read_preset("paper_ethusd"), duration_seconds=180, seed=7)
    return open_session(configuration, machine_class=machine_class)


def ran(session: PulledSession, directory: Path) -> RunMetrics:
    metrics = RunMetrics(directory, [session], clock=lambda: 0.0)
    for result in session.runner.run():
        metrics.take(session, result)
    metrics.write()
    return metrics


def read(text: str) -> list[Sample]:
    """As Prometheus' own parser reads it."""
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def values(text: str, name: str) -> dict[tuple[str, ...], float]:
    """Of one metric, by the values of its labels but the symbol, in the family's order."""
    labels = next(family.labels for family in FAMILIES if family.name == name)
    return {
        tuple(sample.labels[label] for label in labels): sample.value for sample in read(text) if sample.name == name
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[PulledSession, str]:
    session = opened(Newsworthy)
    metrics = ran(session, tmp_path_factory.mktemp("run"))
    return session, metrics.path.read_text(encoding="utf-8")


def test_a_state_edge_and_guard_of_a_subclass_have_their_metrics(run: tuple[PulledSession, str]) -> None:
    """Each visit ends on a full ten seconds, and begins at most a second after one."""
    _, text = run
    assert values(text, "mm_fsm_state")["reading_news",] == 0
    visits = values(text, "mm_fsm_transitions_total")["monitoring_orders", "news_came", "reading_news"]
    assert visits >= 2
    assert visits * 9 < values(text, "mm_fsm_state_time_seconds_total")["reading_news",] <= visits * 10
    answers = values(text, "mm_fsm_guard_answers_total")
    assert answers["monitoring_orders", "news_came", "is_news_time", "true"] == visits
    assert answers["monitoring_orders", "news_came", "is_news_time", "false"] > 100
    assert answers["reading_news", "news_were_read", "is_news_time", "false"] == visits


def test_transitions_and_times_are_the_machines_own(run: tuple[PulledSession, str]) -> None:
    session, text = run
    machine = session.machine
    counted = {
        f"{state}.{event}": count for (state, event, _), count in values(text, "mm_fsm_transitions_total").items()
    }
    assert {edge: count for edge, count in counted.items() if count} == dict(machine.transition_counts)
    durations = {state: seconds(time) for state, time in machine.durations_until_now().items()}
    times = {state: time for (state,), time in values(text, "mm_fsm_state_time_seconds_total").items()}
    assert {state: time for state, time in times.items() if state in durations} == durations
    assert sum(times.values()) == pytest.approx(seconds(machine.now - (machine.began_at or 0)))
    assert values(text, "mm_fsm_steps_total") == {(): machine.sequence}
    assert values(text, "mm_fsm_state") == {(each.id,): each.id == "completed" for each in machine.definition.states}


def test_an_edge_is_taken_as_often_as_all_of_its_guards_held(run: tuple[PulledSession, str]) -> None:
    """Of an edge with one guard the answers that it expects are the times it was taken."""
    session, text = run
    answers, counts = values(text, "mm_fsm_guard_answers_total"), session.machine.transition_counts
    alone = [edge for edge in session.machine.definition.edges if len(edge.guards) == 1]
    ways = {(edge.source, edge.event): 0 for edge in alone}
    for edge in session.machine.definition.edges:
        if (edge.source, edge.event) in ways:
            ways[edge.source, edge.event] += 1
    checked = 0
    for edge in alone:
        if ways[edge.source, edge.event] == 1:
            word = "true" if edge.guards[0].expected else "false"
            taken = counts[f"{edge.source}.{edge.event}"]
            assert answers[edge.source, edge.event, edge.guards[0].name, word] == taken, edge.id
            checked += taken > 0
    assert checked > 5


def test_a_sides_times_add_up_to_the_runs(run: tuple[PulledSession, str]) -> None:
    session, text = run
    live, held = values(text, "mm_fsm_side_live_seconds_total"), values(text, "mm_fsm_side_held_seconds_total")
    whole = seconds(session.machine.now - (session.machine.began_at or 0))
    for side in ("bid", "ask"):
        reasons = {reason: time for (each, reason), time in held.items() if each == side}
        assert {*reasons} == {reason.value for reason in HoldReason}
        assert live[side,] + sum(reasons.values()) == pytest.approx(whole)
    assert live["bid",] > 60


def test_orders_and_money_are_the_books(run: tuple[PulledSession, str]) -> None:
    session, text = run
    context = session.machine.context
    assert values(text, "mm_fsm_fills_total") == {(): context.fill_count}
    assert values(text, "mm_fsm_orders_placed_total") == {(): context.next_order_number - 1}
    assert values(text, "mm_fsm_traded_quote_total") == {(): float(context.total_volume)}
    assert values(text, "mm_fsm_net_pnl_quote") == {(): float(context.net_pnl)}
    assert values(text, "mm_fsm_live_orders") == {("bid",): 0, ("ask",): 0}
    assert context.fill_count > 0
    use = values(text, "mm_fsm_limit_use_ratio")
    assert use["position",] == pytest.approx(context.assess_inventory().use)
    assert use["max_drawdown",] == pytest.approx(float(context.ledger.drawdown / context.settings.max_drawdown))
    assert use["max_live_orders",] == 0
    assert values(text, "mm_fsm_market_info") == {("Newsworthy", "paper", "ETH", "USD"): 1}


def test_a_budget_is_shown_in_seconds_with_its_breaches(run: tuple[PulledSession, str]) -> None:
    """As the chart declares them: 500 ms for PLACING_ORDERS, which waits, and 50 ms to calculate spreads."""
    _, text = run
    budgets = values(text, "mm_fsm_state_budget_seconds")
    assert budgets["placing_orders", "waiting"] == 0.5
    assert budgets["calculating_spreads", "computing"] == 0.05
    assert {*values(text, "mm_fsm_state_budget_breaches_total")} == {*budgets}


def test_a_fault_is_counted_by_its_code(tmp_path: Path) -> None:
    class Failing(MarketMakingStateMachine):
        def handle_fills(self) -> None:
            raise RuntimeError("a bug")

    metrics = ran(opened(Failing), tmp_path)
    assert values(metrics.text.decode(), "mm_fsm_faults_total")["callback",] >= 1


# -- conventions -------------------------------------------------------------------------------------------------------

FOREIGN_UNITS = {
    "milliseconds", "ms", "microseconds", "us", "nanoseconds", "ns", "minutes", "hours", "days", "percent", "pct",
    "bps", "kilobytes", "kb", "megabytes", "mb", "bits",
}  # fmt: skip
"""Whatever is no base unit, and abbreviations."""
OF_OTHER_KINDS = ("_count", "_sum", "_bucket", "_info_total")
KINDS_IN_NAMES = {"counter", "gauge", "histogram", "summary", "metric"}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_name_keeps_the_conventions(family: object) -> None:
    """As `promtool check metrics` and Prometheus' page on naming ask."""
    assert isinstance(family, type(FAMILIES[0]))
    assert re.fullmatch(r"mm_fsm(_[a-z]+)+", family.name)
    words = family.name.split("_")
    assert family.name.endswith("_total") == (family.kind is MetricKind.COUNTER)
    assert not FOREIGN_UNITS & {*words}
    assert not KINDS_IN_NAMES & {*words}
    assert not family.name.endswith(OF_OTHER_KINDS)
    assert family.meaning.endswith(".")
    assert all(re.fullmatch(r"[a-z_]+", label) and not label.startswith("__") for label in family.labels)
    assert len({*family.labels, "symbol"}) == len(family.labels) + 1


def test_names_are_unique() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_the_parser_finds_each_family_with_its_kind_and_help(run: tuple[PulledSession, str]) -> None:
    _, text = run
    found = {family.name: family for family in text_string_to_metric_families(text)}
    for family in FAMILIES:
        read_family = found[family.name.removesuffix("_total")]
        assert read_family.type == family.kind.value
        assert read_family.documentation == family.meaning
    assert {*found} - {family.name.removesuffix("_total") for family in FAMILIES} == {
        "mm_fsm_written_timestamp_seconds"
    }


def test_no_series_stands_twice_and_none_comes_later(run: tuple[PulledSession, str], tmp_path: Path) -> None:
    """What is there at the end was there at the beginning, but for what needs a price."""
    _, text = run
    names = [(sample.name, *sorted(sample.labels.items())) for sample in read(text)]
    assert len(names) == len({*names})
    metrics = RunMetrics(tmp_path, [opened(Newsworthy)])
    first = {(sample.name, *sorted(sample.labels.items())) for sample in read(metrics.text.decode())}
    assert {name for name, *_ in {*names} - first} == {
        "mm_fsm_equity_quote", "mm_fsm_limit_use_ratio", "mm_fsm_mid_price_quote", "mm_fsm_market_data_age_seconds"
    }  # fmt: skip
    assert first <= {*names}


def test_the_number_of_series_is_known_from_the_chart(run: tuple[PulledSession, str]) -> None:
    """Nothing but the chart and the enumerations makes series: no order id, no reason in words, no message."""
    definition = definition_of(Newsworthy)
    asked = {(edge.source, edge.event, guard.name) for edge in definition.edges for guard in edge.guards}
    edges = {(edge.source, edge.event) for edge in definition.edges}
    of_chart = 3 * len(definition.states) + len(edges) + 2 * len(asked)
    _, text = run
    of_market = len(read(text)) - of_chart
    assert of_market < 160


def test_a_symbol_that_needs_escaping_is_read_back(tmp_path: Path) -> None:
    symbol = 'A"B\\C'
    session = opened()
    metrics = RunMetrics(tmp_path, [session])
    metrics._markets = dict(zip([symbol], metrics._markets.values(), strict=True))
    metrics.write()
    found: set[Mapping[str, str] | str] = {each.labels.get("symbol", symbol) for each in read(metrics.text.decode())}
    assert found == {symbol}


# -- watching changes nothing ------------------------------------------------------------------------------------------


def test_a_watched_run_decides_as_one_that_nobody_watches(tmp_path: Path) -> None:
    watched, alone = opened(), opened()
    metrics = RunMetrics(tmp_path, [watched], clock=iter(range(10**9)).__next__)
    seen = []
    for result in watched.runner.run():
        metrics.take(watched, result)
        seen.append(result)
    assert seen == [*alone.runner.run()]
    assert watched.machine.context.digest() == alone.machine.context.digest()


def test_a_file_is_written_every_few_seconds_and_replaced_as_a_whole(tmp_path: Path) -> None:
    now = [0.0]
    metrics = RunMetrics(tmp_path / "run", [opened()], clock=lambda: now[0])
    before = metrics.path.read_bytes()
    now[0] = 4.9
    metrics.tick()
    assert metrics.path.read_bytes() == before
    now[0] = 5.0
    metrics.tick()
    assert metrics.path.read_bytes() != before
    assert [each.name for each in metrics.path.parent.iterdir()] == ["metrics.prom"]


def test_a_place_that_cannot_be_written_is_said_once_and_ends_nothing(tmp_path: Path, messages: list[str]) -> None:
    (tmp_path / "run").write_text("a file")
    metrics = RunMetrics(tmp_path / "run", [opened()])
    metrics.write()
    assert metrics.failure
    assert messages == ["metrics.not_written"]
    assert read(metrics.text.decode())
