"""Options that several commands have, and the names that they accept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from mm_fsm.cli.durations import EXPECTED, parse_duration, without_colons
from mm_fsm.cli.option_names import ExecutorName, OrderName, RecordingFormat

EXIT_CODES: Final = (
    "Exit status: 0 success; 1 a fault, a failed check, or a file that could not be written; 2 refused input; "
    "3 a wind-down passed its deadline with a position left; 4 own orders may still be open; 130 interrupted, "
    "143 terminated, both with every order confirmed gone."
)


def option(*names: str, **keywords: Any) -> Any:
    """An option whose default is not shown: its help says what holds without it."""
    return typer.Option(*names, **{"show_default": False, **keywords})


def parsed_duration(value: str | float) -> float:
    """Seconds of a duration; a default that is a number already stays."""
    seconds = value if isinstance(value, float) else parse_duration(value)
    if seconds is None:
        written = without_colons(str(value))
        remedy = f" Write {written}." if written else ""
        raise typer.BadParameter(f"expected {EXPECTED}, found {value!r}.{remedy}")
    return seconds


def number_from(
    least: float, most: float = math.inf, *, kind: type[int | float] = int
) -> Callable[[str | float], float]:
    """A parser of numbers within bounds, those included."""
    bounds = f"from {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
    expected = f"a {'whole ' if kind is int else ''}number {bounds}"

    def parsed(value: str | float) -> float:
        try:
            number = kind(value)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and least <= number <= most):
            raise typer.BadParameter(f"expected {expected}, found {value!r}.")
        return number

    return parsed


def choice_option(kind: type[StrEnum], *names: str, **keywords: Any) -> Any:
    """An option that takes one of the names of ``kind``; its default is not shown."""

    def parsed(value: str) -> StrEnum:
        return kind(one_of(list(kind), value))

    return option(*names, **{"metavar": f"[{'|'.join(kind)}]", "parser": parsed, **keywords})


def one_of(names: Iterable[str], value: str) -> str:
    """The value, which must be one of these names.

    Raises:
        BadParameter: it is another one.
    """
    from mm_fsm.core.suggestions import did_you_mean  # noqa: PLC0415 - only a misspelt value needs it

    known = [*map(str, names)]
    if value not in known:
        remedy = did_you_mean(value, known, "")
        raise typer.BadParameter(f"expected one of {', '.join(known)}, found {str(value)!r}. {remedy}".rstrip())
    return value


def _shipped_preset(value: str) -> str:
    from mm_fsm.runtime.presets import preset_names  # noqa: PLC0415 - only a preset that is named needs it

    return one_of(preset_names(), value)


SettingsArgument = Annotated[
    Path | None, typer.Argument(metavar="SETTINGS.toml", help="A settings file.", show_default=False)
]
SettingsOption = Annotated[Path | None, option(help="A settings file.", metavar="SETTINGS.toml")]
PresetOption = Annotated[
    str | None, option(help="A shipped preset; mm-fsm plugins lists them.", metavar="NAME", parser=_shipped_preset)
]
OutOption = Annotated[
    Path | None, option(help="Where results go, over earlier ones; else a new directory under runs/.", metavar="DIR")
]
JsonOption = Annotated[bool, option("--json", help="Print one JSON object; anything else goes to standard error.")]
QuietOption = Annotated[bool, option("--quiet", "-q", help="Show no progress.")]
MachineOption = Annotated[
    str | None, option("--machine", metavar="MACHINE", help="Yours, as MODULE:CLASS or a name of mm-fsm plugins.")
]
ExecutorOption = Annotated[
    ExecutorName,
    choice_option(
        ExecutorName,
        "--executor",
        help="What runs the machine's chart: a table compiled from it, or python-statemachine's engine, the reference, "
        "which decides the same and takes longer. Else the table.",
    ),
]
JournalOption = Annotated[
    bool, option("--journal/--no-journal", help="Keep a journal to verify, run.journal; kept by default.")
]
FlattenOption = Annotated[
    bool | None,
    option(
        "--flatten/--keep-position",
        help="What the first Ctrl-C or SIGTERM does besides cancelling; the second leaves at once. "
        "Else as flatten_on_signal says: keep.",
    ),
]
FilesOption = list[Path] | None
OrderOption = Annotated[
    OrderName | None,
    choice_option(
        OrderName, "--order", help="Replay by this clock; else Tardis as received, Binance by the exchange's time."
    ),
]
WindowOption = Annotated[
    float | None,
    option(
        "--reorder-window",
        metavar="SECONDS",
        help="How far a row may be late; else 0.25.",
        parser=number_from(0, kind=float),
    ),
]
PassedOverOption = Annotated[
    float | None,
    option(
        metavar="SHARE", help="Of faulty rows that may be passed over; else 0.01.", parser=number_from(0, 1, kind=float)
    ),
]
RefuseOption = Annotated[
    list[str] | None,
    option("--refuse", metavar="FAULT", help="Refuse a recording with one such row; again for more."),
]
SymbolsOption = Annotated[
    list[str] | None,
    option("--symbol", metavar="NAME", help="Take this market from the files; again for more. Else all first ones."),
]
CacheOption = Annotated[
    bool, option("--cache/--no-cache", help="Keep prepared recordings for the next run; kept by default.")
]
QuotesOption = Annotated[FilesOption, option(metavar="FILE", help="Books: quotes, snapshots or depth; again for more.")]
TradesOption = Annotated[FilesOption, option(metavar="FILE", help="Public trades; again for more.")]
CaptureOption = Annotated[FilesOption, option(metavar="FILE", help="Books and trades: raw captures; again for more.")]
FormatOption = Annotated[
    RecordingFormat | None, choice_option(RecordingFormat, "--format", help="Refuse any other; else the files tell.")
]
MoreFiles = Annotated[
    FilesOption,
    typer.Argument(metavar="FILE...", help="Further files: --capture FIRST SECOND.", show_default=False),
]
