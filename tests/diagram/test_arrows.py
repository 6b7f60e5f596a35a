"""What is drawn as one line: edges from many states, and edges between the same two."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.chart import ChartDefinition, EdgeDefinition, GuardTerm, StateDefinition
from mm_fsm.diagram import DrawableChart
from mm_fsm.diagram.arrows import Arrow, arrows_of, main_arrows, origin_of, precedence_of

STATES = ("a", "b", "c", "d", "e", "f")


def chart_with(*edges: EdgeDefinition, final: str = "f") -> ChartDefinition:
    states = tuple(
        StateDefinition(id=name, name=name.upper(), initial=name == "a", final=name == final) for name in STATES
    )
    return ChartDefinition(name="Sample", states=states, edges=edges)


def from_each(sources: str, target: str, event: str = "go") -> list[EdgeDefinition]:
    return [EdgeDefinition(event=event, source=source, target=target) for source in sources]


def shapes(arrows: tuple[Arrow, ...]) -> list[tuple[str, str, list[str]]]:
    return [("".join(arrow.sources), arrow.target, [label.edge.event for label in arrow.labels]) for arrow in arrows]


def test_four_alike_sources_are_one_arrow() -> None:
    assert shapes(arrows_of(chart_with(*from_each("abcd", "f")))) == [("abcd", "f", ["go"])]


def test_three_alike_sources_keep_their_arrows() -> None:
    arrows = shapes(arrows_of(chart_with(*from_each("abc", "f"))))
    assert arrows == [("a", "f", ["go"]), ("b", "f", ["go"]), ("c", "f", ["go"])]


def test_another_guard_is_another_arrow() -> None:
    """Four sources of which one is guarded differently are three alike and one apart."""
    guarded = EdgeDefinition(event="go", source="d", target="f", guards=(GuardTerm("calm"),))
    assert len(arrows_of(chart_with(*from_each("abc", "f"), guarded))) == 4


def test_a_negated_guard_is_another_guard() -> None:
    edges = [
        EdgeDefinition(event="go", source=source, target="f", guards=(GuardTerm("calm", expected),))
        for source, expected in (("a", True), ("b", True), ("c", False), ("d", False))
    ]
    assert len(arrows_of(chart_with(*edges))) == 4


def test_edges_between_the_same_two_states_share_an_arrow() -> None:
    edges = [*from_each("a", "b", "first"), *from_each("a", "b", "second"), *from_each("b", "a", "back")]
    assert shapes(arrows_of(chart_with(*edges))) == [("a", "b", ["first", "second"]), ("b", "a", ["back"])]


def test_a_command_does_not_share_an_arrow_with_an_event() -> None:
    command = EdgeDefinition(event="stop", source="a", target="b", command=True)
    assert len(arrows_of(chart_with(*from_each("a", "b"), command))) == 2


def test_internal_edges_are_no_arrows() -> None:
    assert arrows_of(chart_with(EdgeDefinition(event="go", source="a", target="a", internal=True))) == ()


def test_origins_are_named_the_shorter_way() -> None:
    """Of five states that are not final: all, all but one, and four of the others listed when exceptions prevail."""
    definition = chart_with(*from_each("abcde", "a", "x"), *from_each("abcd", "a", "y"))
    every, but_one = arrows_of(definition)
    assert origin_of(definition, every) == ("any state", ())
    assert origin_of(definition, but_one) == ("any state but", ("E",))
    few = Arrow(("a", "b"), "c", every.role, every.labels)
    assert origin_of(definition, few) == ("any of", ("A", "B"))


def test_ranks_follow_the_declaration_and_leave_commands_out(three: DrawableChart) -> None:
    """The small chart declares, for DRAFT, approve before review, then a fault and a command."""
    ranks = precedence_of(three.definition)
    assert {edge.event: ranks.get(edge.id) for edge in three.definition.edges_from("draft")} == {
        "approve": 1,
        "review": 2,
        "crash": None,
        "cancel": None,
    }


def test_the_main_way_leaves_faults_aside(nine: DrawableChart) -> None:
    """The cycle as its specification tables it is the backbone; ERROR, reached from IDLE first, is not on it."""
    main = main_arrows(nine.definition, arrows_of(nine.definition))
    assert {(arrow.sources[0], arrow.target) for arrow in main} == {
        ("idle", "calculating_spreads"),
        ("calculating_spreads", "placing_orders"),
        ("placing_orders", "monitoring_orders"),
        ("monitoring_orders", "order_filled"),
        ("monitoring_orders", "adjusting_spreads"),
        ("monitoring_orders", "inventory_management"),
        ("inventory_management", "completed"),
    }


edge_lists = st.lists(
    st.builds(
        EdgeDefinition,
        event=st.sampled_from(["go", "stop"]),
        source=st.sampled_from(STATES[:5]),
        target=st.sampled_from(STATES),
        guards=st.sampled_from([(), (GuardTerm("calm"),), (GuardTerm("calm", expected=False),)]),
        command=st.booleans(),
    ),
    max_size=25,
)


@given(edge_lists)
def test_every_edge_is_in_exactly_one_arrow(edges: list[EdgeDefinition]) -> None:
    """However edges are grouped and merged, none is lost, none is drawn twice, and sources are theirs."""
    definition = chart_with(*edges)
    arrows = arrows_of(definition)
    drawn = [edge for arrow in arrows for label in arrow.labels for edge in label.edges]
    assert Counter(drawn) == Counter(edges)
    for arrow in arrows:
        assert {edge.target for label in arrow.labels for edge in label.edges} == {arrow.target}
        for label in arrow.labels:
            assert {edge.source for edge in label.edges} == set(arrow.sources)
