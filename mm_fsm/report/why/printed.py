"""Accounts and answers as people read them in a terminal, from 60 columns on: what it was, why, what would help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.messages import SIDES
from mm_fsm.core.plurals import counted
from mm_fsm.report.exact import as_json
from mm_fsm.report.plain_words import SELF_EVIDENT, why_held
from mm_fsm.report.stretches import Moment, Stretch, StretchKind
from mm_fsm.report.table import duration
from mm_fsm.report.why.accounts import Account
from mm_fsm.report.why.answers import Answer
from mm_fsm.report.why.counterfactual import Counterfactual, ProvenChange
from mm_fsm.report.why.roles import Direction

_KINDS: Final = {
    StretchKind.LIVE: "a quote rests in the book",
    StretchKind.NOT_RUNNING: "nothing ran",
    StretchKind.NOT_RECORDED: "not recorded",
    StretchKind.UNEXPLAINED: "nothing explains it: please report it",
}
_STYLES: Final = {
    StretchKind.LIVE: "green",
    StretchKind.ON_ITS_WAY: "cyan",
    StretchKind.HELD: "yellow",
    StretchKind.NOT_RUNNING: "dim",
}
_MILLISECOND: Final = 1_000_000
_SHOWN_CHANGES: Final = 8
_INDENT: Final = (0, 0, 0, 2)


def why(stretch: Stretch) -> str:
    """The reason of a stretch in words."""
    if stretch.kind is StretchKind.NOT_RECORDED:
        return ": ".join(filter(None, (_KINDS[stretch.kind], stretch.detail)))
    if stretch.kind in _KINDS:
        return _KINDS[stretch.kind]
    return why_held(HoldReason(stretch.reason))


def _words(reason: str) -> str:
    """A stretch's reason in words, by its name."""
    kinds = {kind.value: words for kind, words in _KINDS.items()}
    return kinds[reason] if reason in kinds else why_held(HoldReason(reason))


def clock(nanoseconds: int) -> str:
    """A time of day, UTC, to the millisecond: the first one that is not before it, so that it lies in what begins."""
    milliseconds = -(-nanoseconds // _MILLISECOND)
    whole, rest = divmod(milliseconds, 1_000)
    return f"{datetime.fromtimestamp(whole, UTC):%H:%M:%S}.{rest:03}"


def lasting(nanoseconds: int) -> str:
    """A duration for people; below a second in milliseconds."""
    if 0 < nanoseconds < NANOSECONDS_PER_SECOND:
        return f"{max(round(nanoseconds / _MILLISECOND), 1)} ms"
    return duration(nanoseconds / NANOSECONDS_PER_SECOND)


# -- an account --------------------------------------------------------------------------------------------------------


def account_text(account: Account) -> RenderableType:
    """Both sides' whole time by reason."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    for _ in SIDES:
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
    table.add_row("", "bid", "", "ask", "", style="bold")
    for label, style, lengths in _rows(account):
        cells = [cell for length in lengths for cell in (lasting(length), _share(length, account))]
        table.add_row(Text(label, style=style), *cells)
    return Group(_heading(account), table)


def _heading(account: Account) -> Text:
    began = datetime.fromtimestamp(account.begin // NANOSECONDS_PER_SECOND, UTC)
    text = Text.assemble((account.symbol, "bold"), f"  {began:%Y-%m-%d} {clock(account.begin)} to ")
    length = lasting(account.end - account.begin)
    return text.append(f"{clock(account.end)} UTC, {length} on each side")


def _rows(account: Account) -> Iterator[tuple[str, str, list[int]]]:
    named: dict[tuple[StretchKind, str], list[int]] = {}
    for stretch in account.stretches:
        lengths = named.setdefault((stretch.kind, why(stretch)), [0 for _ in SIDES])
        lengths[SIDES.index(stretch.side)] += stretch.duration
    order = list(StretchKind)
    for (kind, words), lengths in sorted(named.items(), key=lambda each: (order.index(each[0][0]), -sum(each[1]))):
        yield words, _STYLES.get(kind, "bold red"), lengths
    if account.unexplained == 0:
        yield "without a reason", "dim", [0 for _ in SIDES]


def _share(length: int, account: Account) -> str:
    whole = account.end - account.begin
    return f"{length / whole:.1%}" if whole and length else ""


def stretches_text(stretches: Sequence[Stretch], *, most: int) -> RenderableType:
    """A line for each of the longest held stretches; both sides' on one line where one step began them for one reason.

    Args:
        stretches: held ones, the longest first.
        most: lines at most.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for number, (sides, stretch) in enumerate(_together(stretches)):
        if number == most:
            break
        words = ": ".join(filter(None, (why(stretch), _figures(stretch))))
        table.add_row(clock(stretch.begin), sides, lasting(stretch.duration), Text(words))
    return table


def _together(stretches: Sequence[Stretch]) -> list[tuple[str, Stretch]]:
    found: dict[tuple[int, str], list[Stretch]] = {}
    for stretch in stretches:
        found.setdefault((stretch.begin, stretch.reason), []).append(stretch)
    return [("both" if len(each) == len(SIDES) else each[0].side.value, each[0]) for each in found.values()]


# -- an answer ---------------------------------------------------------------------------------------------------------


def stretch_text(stretch: Stretch, silence: Stretch | None = None) -> RenderableType:
    """One stretch: why and how long, when, what began it, who decided, how it ended."""
    is_live = stretch.kind is StretchKind.LIVE
    is_cut = is_live and (stretch.began is None or stretch.ended is None)
    title = Text.assemble(
        (stretch.side.value, "bold"),
        " ",
        ("quoted" if is_live else "not quoted", _STYLES.get(stretch.kind, "bold red")),
        f" for {'at least ' if is_cut else ''}{lasting(stretch.duration)}: {why(stretch)}",
    )
    figures = _figures(stretch)
    rows: list[tuple[str, str]] = [("", figures)] if figures else []
    rows.append(("when", f"{clock(stretch.begin)} to {clock(stretch.end)}"))
    if silence is not None:
        since = f"silent since {clock(silence.begin)}, step {silence.began.step:,}" if silence.began else ""
        rows += [("", since)] if since else []
    rows.append(("began", _moment(stretch.began) or "before the first step that was made again"))
    decided = list(_decided(stretch))
    rows += [("decided" if number == 0 else "", each) for number, each in enumerate(decided)]
    rows.append(("ended", _end(stretch)))
    return Group(title, Padding(_labelled(rows), _INDENT))


def _labelled(rows: Sequence[tuple[str, str | Text]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for label, content in rows:
        table.add_row(label, content if isinstance(content, Text) else Text(content))
    return table


def _moment(moment: Moment | None) -> str:
    return "" if moment is None else f"step {moment.step:,}: {moment.fact}"


def _figures(stretch: Stretch) -> str:
    """The detail of a hold; empty where it only says the reason again."""
    if stretch.kind is StretchKind.NOT_RECORDED:
        return ""
    is_told = stretch.kind.is_silent and HoldReason(stretch.reason) in SELF_EVIDENT
    return "" if is_told else stretch.detail


def _decided(stretch: Stretch) -> Iterator[str]:
    decision = stretch.decision
    if decision.service:
        yield f"service {decision.service}"
    elif decision.guard:
        yield f"guard {decision.guard}"
    first, last = decision.edges[:1], decision.edges[-1:]
    between = len(decision.edges) - 2
    if between > 0:
        yield f"edges {first[0]}, {between} more, then {last[0]}"
    elif decision.edges:
        yield f"edge {', then '.join(decision.edges)}"


def _end(stretch: Stretch) -> str:
    if stretch.ended is None:
        return "still so at the last step on record"
    return f"{_moment(stretch.ended)}; then: {_words(stretch.followed_by)}"


def answer_text(answer: Answer) -> RenderableType:
    """One answer, with what would have had to differ."""
    parts: list[RenderableType] = [stretch_text(answer.stretch, answer.silence)]
    began = answer.stretch.began
    if answer.at_first_step is not None and began is not None:
        parts.append(Padding(_counterfactual_text(answer.at_first_step, began, ""), _INDENT))
    silence = answer.silence
    if answer.at_silence is not None and silence is not None and silence.began is not None:
        words = ", when it fell silent"
        parts.append(Padding(_counterfactual_text(answer.at_silence, silence.began, words), _INDENT))
    return Group(*parts)


def _counterfactual_text(found: Counterfactual, moment: Moment, words: str) -> RenderableType:
    place = f"Put back to step {moment.step:,}{words}"
    side = found.side.value
    if found.recorded.is_quoted:
        doing = "its quote stays" if found.recorded.keeps else "a quote leaves with it"
        return Text(f"{place}: {doing}, so nothing would have had to differ.")
    if not found.changes and not found.limits_of_venue:
        return Text(f"{place}: none of {len(found.tried)} settings alone quotes the {side}.")
    preferences = [each for each in found.changes if each.direction is None]
    protections = [each for each in found.changes if each.direction is not None]
    parts = [*_preferences(preferences, place, side, is_last=not protections), *_protections(protections, side)]
    if found.limits_of_venue:
        parts.append(Text(f"A limit of the venue holds it, which is not yours to choose: {_names(found)}."))
    left = sum(max(len(each) - _SHOWN_CHANGES, 0) for each in (preferences, protections))
    rest = f"{left} more with --json; " if left else ""
    foot = f"{rest}{counted(len(found.tried), 'setting')} tried; what comes after that step is not claimed"
    return Group(*parts, Text(foot, style="dim"))


def _names(found: Counterfactual) -> str:
    return ", ".join(found.limits_of_venue)


def _preferences(changes: Sequence[ProvenChange], place: str, side: str, *, is_last: bool) -> list[RenderableType]:
    if not changes:
        if is_last:
            return [Text(f"{place}: none of your own settings alone quotes the {side}.")]
        return [Text(f"{place}: no setting that is a matter of taste would have quoted the {side}.")]
    outcomes = [_outcome(each) for each in changes[:_SHOWN_CHANGES]]
    is_same = len(set(outcomes)) == 1
    head = f"{place}, each of these alone {outcomes[0] if is_same else f'quotes the {side}'}:"
    return [Text(head), _changes_table(changes, [] if is_same else outcomes)]


def _protections(changes: Sequence[ProvenChange], side: str) -> list[RenderableType]:
    """Limits and judgements that hold the side, marked as what they are."""
    if not changes:
        return []
    outcomes = {_would_have(each) for each in changes[:_SHOWN_CHANGES]}
    done = outcomes.pop() if len(outcomes) == 1 else f"quoted the {side}"
    head = Text(f"Protections kept it out. Moving one of them alone would have {done}:", style="yellow")
    return [head, _changes_table(changes, [_moved(each) for each in changes[:_SHOWN_CHANGES]])]


def _moved(proven: ProvenChange) -> str:
    """What it means to move a protection so."""
    if proven.direction is Direction.TIGHTENED:
        return "tightened: it would hold quotes at other times"
    if proven.direction is Direction.CHANGED:
        return "another judgement"
    changed = proven.change.changed
    if not changed:
        return "no limit any more"
    return f"loosened: beyond {_value(changed)} only the moment moves"


def _changes_table(changes: Sequence[ProvenChange], notes: Sequence[str]) -> Padding:
    """The first changes, each with its note, if there are any."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    shown = changes[:_SHOWN_CHANGES]
    for each, note in zip(shown, notes or [""] * len(shown), strict=True):
        table.add_row(each.change.name, f"{_value(each.change.value)} → {_value(each.change.changed)}", note)
    return Padding(table, _INDENT)


def _value(value: Any) -> str:
    plain = as_json(value)
    if plain is None:
        return "none"
    return f"{plain:g}" if isinstance(plain, float) else str(plain).lower() if isinstance(plain, bool) else str(plain)


def _would_have(proven: ProvenChange) -> str:
    """What would have come of a change, after "would have"."""
    return "kept its quote" if proven.quoted.stages is None else _outcome(proven).replace("places", "placed", 1)


def _outcome(proven: ProvenChange) -> str:
    order = proven.quoted.stages
    if order is None:
        return "keeps its quote"
    return f"places {order.side.value} {as_json(order.quantity)} at {as_json(order.price)}"
