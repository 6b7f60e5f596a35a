"""The inspector's page in a browser: keys, jumps, what is shown at a step, and that going back shows what was shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from mm_fsm.books.facts import OperatorPaused, OperatorResumed
from mm_fsm.chart import definition_of
from mm_fsm.diagram import DiagramError
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.report.inspection import page as page_module
from mm_fsm.report.inspection import windows as windows_module
from mm_fsm.report.inspection.comparison import first_differences
from mm_fsm.report.inspection.page import InspectedMarket, inspection_page, size_of
from mm_fsm.report.inspection.served import inspection_routes
from mm_fsm.report.inspection.steps import InspectedStep, Version
from mm_fsm.report.inspection.track import Track
from mm_fsm.report.inspection.watching import EdgeTaken, GuardAnswer, ServiceAnswer
from mm_fsm.report.inspection.windows import StepKind, kinds_of
from mm_fsm.runtime.loopback_server import LoopbackServer
from tests.browser import OpenPage, scrolls_sideways, wider_than_the_page
from tests.patience import PATIENCE
from tests.report.inspection.recorded import plan_for, record, steps_of, track_of
from tests.runtime.journal.scenario import World, begin, kill, settings_with

HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"
KEYS = {"t": StepKind.TRANSITION, "f": StepKind.FILL, "h": StepKind.HOLD, "o": StepKind.INTENT}


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two processes, both killed; in the first an operator pauses with a text that would be code elsewhere."""
    path = tmp_path_factory.mktemp("run") / "run.journal"
    plan, world = plan_for(path), World()
    for reason in (HOSTILE, "lunch"):
        run = begin(plan)
        world.run(run, 30)
        world.tell(run, OperatorPaused(received_at=0, reason=reason))
        world.run(run, 2)
        world.tell(run, OperatorResumed(received_at=0))
        world.run(run, 10)
        kill(run)
        world.pass_time(3)
    return path


@pytest.fixture(scope="module")
def steps(journal: Path) -> list[InspectedStep]:
    return steps_of(journal)


@pytest.fixture(scope="module", autouse=True)
def small_windows() -> Iterator[None]:
    """So that a short journal has many windows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows_module, "STEPS_A_WINDOW", 40)
        yield


@pytest.fixture(scope="module")
def market(journal: Path) -> InspectedMarket:
    return InspectedMarket((track_of(journal),))


@pytest.fixture(scope="module")
def text(market: InspectedMarket) -> str:
    return inspection_page([market], title="A run")


@pytest.fixture
def page(text: str, open_page: OpenPage) -> Any:
    return settled(open_page(text))


def settled(page: Any, step: int | None = None) -> Any:
    """The page once it shows a step, or some step."""
    from playwright.sync_api import expect

    expect(page.locator("#place")).not_to_be_empty()
    if step is not None:
        expect(page.locator("#step")).to_have_value(str(step))
    return page


def go(page: Any, step: int) -> Any:
    page.evaluate(f"location.hash = '#step={step}'")
    return settled(page, step)


def current(page: Any) -> int:
    return int(page.input_value("#step"))


def press(page: Any, key: str, expected: int) -> None:
    page.keyboard.press(key)
    settled(page, expected)


def test_keys_go_step_by_step_and_to_the_ends(page: Any, steps: list[InspectedStep]) -> None:
    assert current(page) == 1
    for expected in (2, 3, 4):
        press(page, "ArrowRight", expected)
    press(page, "ArrowLeft", 3)
    press(page, "Shift+ArrowRight", 103)
    press(page, "End", len(steps))
    press(page, "Home", 1)
    page.click("#forth")
    settled(page, 2)
    assert page.url.endswith("#step=2")


def test_jumps_go_to_the_next_of_a_kind_and_back(page: Any, steps: list[InspectedStep]) -> None:
    """The kinds are told here from the steps themselves."""
    found = kinds_by_step(steps)
    for key, kind in KEYS.items():
        wanted = [sequence for sequence, kinds in found.items() if kind in kinds]
        assert len(wanted) >= 3, kind
        places = [place for place in wanted if place > 1]
        go(page, 1)
        for expected in places[:4]:
            press(page, key, expected)
        press(page, f"Shift+{key}", places[2])
        go(page, len(steps))
        last = [place for place in wanted if place < len(steps)][-1]
        press(page, f"Shift+{key}", last)


def kinds_by_step(steps: list[InspectedStep]) -> dict[int, StepKind]:
    found, before = {}, steps[0].shown
    for step in steps:
        found[step.sequence] = kinds_of(step, before)
        before = step.shown
    return found


def test_a_jump_to_what_is_not_there_says_so(page: Any) -> None:
    page.keyboard.press("e")
    page.locator("#notices").wait_for()
    assert page.inner_text("#notices") == "There is no fault after this step."
    assert current(page) == 1


def test_going_back_shows_exactly_what_was_shown(page: Any) -> None:
    """Through three windows and back, by single steps; the picture's lit parts count too."""
    go(page, 75)
    seen = {}
    for step in range(75, 165):
        settled(page, step)
        seen[step] = shown_html(page)
        page.keyboard.press("ArrowRight")
    settled(page, 165)
    for step in range(164, 74, -1):
        press(page, "ArrowLeft", step)
        assert shown_html(page) == seen[step], step
    assert len(set(seen.values())) > 60


def shown_html(page: Any) -> str:
    """All that stands there; an attribute that was emptied is as one that never was."""
    return str(page.inner_html("#sides")).replace(' class=""', "")


def test_a_step_shows_what_is_known_of_it(page: Any, steps: list[InspectedStep]) -> None:
    definition = definition_of(MarketMakingStateMachine)
    names = {state.id: state.name for state in definition.states}
    wanted = [step for step in steps if len(step.transitions) > 1][:4] + steps[60:64] + steps[-1:]
    for step in wanted:
        go(page, step.sequence)
        assert page.inner_text(".now").endswith(names[step.state])
        assert page.inner_text(".side-body h3 >> nth=0") == f"Fact: {step.fact.kind}"
        assert page.locator("dl.fields dd").all_text_contents() == list(step.fact.fields.values())
        assert page.locator("ul.messages li b").all_text_contents() == [intent.kind for intent in step.intents]
        shown = page.inner_text(".side-body")
        assert all(reason in shown for reason in step.reasons)
        assert_trace(page, step)
        assert page.locator(".map .current").count() == 1
        assert len(page.locator("ol.trace li.taken").all()) == len(step.transitions)
        for at in {entry.edge for entry in step.trace or () if isinstance(entry, EdgeTaken)}:
            if not definition.edges[at].internal:
                assert page.locator(".map g.edge.taken").count() >= 1


def assert_trace(page: Any, step: InspectedStep) -> None:
    definition = definition_of(MarketMakingStateMachine)
    trace = step.trace or ()
    guards = [entry for entry in trace if isinstance(entry, GuardAnswer)]
    answers = page.locator("ol.trace .yes, ol.trace .no").all_text_contents()
    assert [answer.split()[0] for answer in answers] == [str(entry.answer).lower() for entry in guards]
    marks = [answer.endswith("\u2713") for answer in answers]
    assert marks == [definition.edges[entry.edge].guards[entry.guard].expected is entry.answer for entry in guards]
    services = [entry for entry in trace if isinstance(entry, ServiceAnswer)]
    shown = page.locator("ol.trace li.service").all_text_contents()
    for text, asked in zip(shown, services, strict=True):
        assert text.startswith(f"{asked.method}({asked.asked}) \u2192 ")
        assert text.endswith(asked.answer)


def test_what_the_machine_shows_is_in_the_page_with_what_changed(page: Any, steps: list[InspectedStep]) -> None:
    """Every value of some steps, by its row and column, and a mark on each that is new, gone or another."""
    changed_somewhere = 0
    for before, step in pairwise(steps[150:157]):
        go(page, step.sequence)
        found = page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll(".books section")].flatMap((section) => {
              const title = section.querySelector("h3").textContent;
              const heads = [...section.querySelectorAll("thead th")].map((head) => head.textContent);
              return [...section.querySelectorAll("tbody tr")].flatMap((row) => {
                const [name, ...cells] = row.children;
                return cells.map((cell, at) => [
                  [title, name.textContent, ...(heads.length ? [heads[at + 1]] : [])].join("|"),
                  [cell.childNodes[0].textContent, cell.matches(".changed"), cell.matches(".gone")]]);
              });
            }))"""
        )
        names = {**dict.fromkeys(before.shown), **dict.fromkeys(step.shown)}
        for path in names:
            value, is_changed, is_gone = found["|".join(path) if len(path) > 1 else f"{path[0]}|value"]
            text = step.shown.get(path, before.shown.get(path))
            assert value == ("\u2013" if text is None else text or "(empty)")
            assert is_gone == (path not in step.shown)
            assert is_changed == (
                path not in before.shown or step.shown.get(path, None) != before.shown[path] or is_gone
            )
            changed_somewhere += is_changed
        assert len(found) == len(names)
    assert changed_somewhere > 5


def test_long_answers_open_and_stay_open(page: Any, steps: list[InspectedStep]) -> None:
    priced = [step.sequence for step in steps if any("price_quotes" in str(entry) for entry in step.trace or ())]
    go(page, priced[0])
    assert page.locator("ol.trace .whole >> visible=true").count() == 0
    page.locator("ol.trace summary").first.click()
    go(page, priced[1])
    assert page.locator("ol.trace .whole >> visible=true").count() >= 1


def test_links_lead_to_a_step_and_to_a_time(page: Any, steps: list[InspectedStep]) -> None:
    go(page, 200)
    step = steps[99]
    page.evaluate(f"location.hash = '#time={step.time}'")
    expected = max(each.sequence for each in steps if each.time <= step.time)
    settled(page, expected)
    page.evaluate("location.hash = '#step=999999'")
    settled(page, len(steps))
    page.evaluate("location.hash = '#step=nonsense'")
    settled(page, 1)


def test_the_text_of_an_operator_stays_a_text(page: Any, steps: list[InspectedStep], text: str) -> None:
    paused = next(step for step in steps if step.fact.kind == "OperatorPaused")
    go(page, paused.sequence)
    assert HOSTILE in page.locator("dl.fields dd").all_text_contents()
    assert page.title() == "A run"
    assert page.locator("#sides img, #sides script").count() == 0
    assert HOSTILE not in text


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_it_without_scrolling_sideways(text: str, open_page: OpenPage, dark: bool) -> None:
    page = settled(open_page(text, width=390, height=800, dark=dark))
    page.click("summary")
    page.keyboard.press("t")
    page.wait_for_timeout(100)
    assert not scrolls_sideways(page)
    assert [
        one for one in wider_than_the_page(page) if "pair" not in one and not one.startswith(("BUTTON", "SPAN"))
    ] == []


def test_the_charts_over_time_lead_to_steps(page: Any, steps: list[InspectedStep]) -> None:
    """A click goes to the step at that time; the charts then show the steps around it."""
    box = page.locator("#bands .u-over").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 5)
    page.locator("#place", has_not_text="step 1 of").wait_for()
    middle = (steps[0].time + steps[-1].time) / 2
    clicked = steps[current(page) - 1].time
    assert abs(clicked - middle) < (steps[-1].time - steps[0].time) / 20
    page.click("#around")
    assert page.get_attribute("#around", "aria-pressed") == "true"
    page.keyboard.press("ArrowRight")
    assert page.locator("#band-legend li").count() > 4


def test_without_a_drawing_library_states_are_listed_and_it_is_said(
    market: InspectedMarket, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise DiagramError("a picture needs pygraphviz.", "Install it.")

    monkeypatch.setattr(page_module, "picture", fail)
    page = settled(open_page(inspection_page([market], title="A run")))
    assert "needs pygraphviz" in page.inner_text("main .problems >> nth=0")
    page.keyboard.press("t")
    page.locator("ul.states li li.taken").first.wait_for()
    assert page.locator("ul.states > li.current").count() == 1


def test_two_versions_stand_side_by_side_with_the_difference_framed(journal: Path, open_page: OpenPage) -> None:
    left, right = track_of(journal), track_of(journal, Version(settings=settings_with(target_spread_bps=8.0)))
    differences = first_differences(left, right, is_one_journal=True)
    page = settled(open_page(inspection_page([InspectedMarket((left, right), differences)], title="Two versions")))
    assert page.locator(".side").count() == 2
    press(page, "d", differences[0].sequence)
    assert page.locator(".side .differs").count() >= 2
    assert "differ for the first time" in page.inner_text(".side >> nth=1")
    press(page, "ArrowRight", differences[0].sequence + 1)
    assert f"stands at step {differences[0].sequence}" in page.inner_text(".side >> nth=1")
    press(page, "d", differences[1].sequence)
    assert not scrolls_sideways(page)


def test_a_journal_without_market_data_says_what_is_not_known(tmp_path: Path, open_page: OpenPage) -> None:
    track = track_of(record(tmp_path / "run.journal", market_data=False))
    page = settled(open_page(inspection_page([InspectedMarket((track,))], title="Records")))
    press(page, "t", first_transition_after_the_first_step(track))
    assert "Not known" in page.inner_text(".side")
    assert "without market data" in page.inner_text(".notice")


def test_a_comparison_that_could_look_at_nothing_says_so(tmp_path: Path, open_page: OpenPage) -> None:
    path = record(tmp_path / "run.journal", market_data=False, seconds=15)
    market = InspectedMarket((track_of(path), track_of(path, Version(settings=settings_with(target_spread_bps=8.0)))))
    page = settled(open_page(inspection_page([market], title="Records")))
    assert "Not compared: segment 1" in page.inner_text("#about")
    assert "same story" not in page.inner_text("#about")
    assert page.locator(".side").count() == 1


def first_transition_after_the_first_step(track: Track) -> int:
    content = [step for window in track.windows for step in windows_module.unpacked(window)["steps"]]
    return next(step["n"] for step in content[1:] if step.get("e"))


def test_several_markets_are_chosen_by_the_address(
    market: InspectedMarket, tmp_path: Path, open_page: OpenPage
) -> None:
    other = InspectedMarket((evolve(market.tracks[0], symbol="BTC/USD"),))
    path = tmp_path / "inspect.html"
    path.write_text(inspection_page([market, other], title="Two markets"))
    page = settled(open_page(f"{path.as_uri()}?symbol=BTC%2FUSD#step=7"), 7)
    assert page.locator("#market option:checked").inner_text() == "BTC/USD"
    page.select_option("#market", label="ETH/USD")
    settled(page, 1)


# -- served -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(market: InspectedMarket) -> Iterator[LoopbackServer]:
    page = inspection_page([market], title="A run", is_served=True)
    with LoopbackServer(inspection_routes(page, [market])) as running:
        yield running


def test_a_served_page_loads_windows_as_it_goes(server: LoopbackServer, open_page: OpenPage, steps: list[Any]) -> None:
    page = settled(open_page(server.address))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    press(page, "End", len(steps))
    press(page, "ArrowLeft", len(steps) - 1)
    assert 1 <= len(asked) <= 2
    assert all("/windows/0/0/" in url for url in asked)


def test_a_served_page_has_no_steps_in_it(market: InspectedMarket) -> None:
    served, whole = (inspection_page([market], title="A run", is_served=is_served) for is_served in (True, False))
    assert len(whole) - len(served) >= size_of([market])


Asking = Callable[..., tuple[int, bytes]]


@pytest.fixture
def ask(server: LoopbackServer) -> Asking:
    def send(path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    return send


def test_the_server_answers_nobody_else(ask: Asking) -> None:
    assert ask("/windows/0/0/0")[0] == 200
    assert ask("/windows/0/0/0", Host="evil.example")[0] == 421
    assert ask("/windows/0/0/0", Origin="http://evil.example")[0] == 403
    assert ask("/", Sec_Fetch_Site="cross-site")[0] == 403


def test_the_server_is_read_only_and_serves_windows_alone(ask: Asking, market: InspectedMarket) -> None:
    assert ask("/windows/0/0/1")[1] == market.tracks[0].windows[1].packed
    assert ask("/", "POST", Content_Type="application/json", Content_Length="0")[0] == 405
    for path in ("/windows/0/0/99999", "/windows/../../etc/passwd", "/windows/0/0/", "/windows/0/-1/0", "/etc/passwd"):
        assert ask(path)[0] == 404, path
