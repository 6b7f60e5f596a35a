"""The command ``record`` and what it accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from mm_fsm.cli.arguments import choice_option, option, parsed_duration
from mm_fsm.cli.option_names import RecordingFormat

RECORD_EPILOG: Final = (
    "Example: mm-fsm record binance ETH/USDT --duration 8h, then: mm-fsm backtest recordings/*/ETHUSDT*\n\n"
    "Ctrl-C ends it in order. Each stretch has a directory of its own; what it holds is whole or not there."
)


def record(
    *,
    exchange: Annotated[str, typer.Argument(metavar="EXCHANGE", help="As ccxt names it.", show_default=False)],
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Such as ETH/USDT.", show_default=False)],
    to: Annotated[
        RecordingFormat, choice_option(RecordingFormat, "--to", help="The format that is written.")
    ] = RecordingFormat.PARQUET,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where files go.")] = Path("recordings"),
    duration: Annotated[
        float | None, option(metavar="DURATION", parser=parsed_duration, help="Such as 8h; else until Ctrl-C.")
    ] = None,
    every: Annotated[
        float, option(metavar="DURATION", parser=parsed_duration, help="After which new files are begun.")
    ] = 3600.0,
    factory: Annotated[
        str | None, option(metavar="MODULE:FUNCTION", help="Makes exchange objects in place of ccxt's class.")
    ] = None,
) -> None:
    """Write an exchange's public streams, books and trades, to files that backtest reads. No keys are needed."""
    from mm_fsm.cli.stream_recorder import RecordOptions, run_record

    options = RecordOptions(
        exchange=exchange,
        symbols=tuple(dict.fromkeys(symbols)),
        factory=factory,
        form=to.value,
        out=out,
        seconds=duration,
        file_seconds=every,
    )
    raise typer.Exit(run_record(options))
