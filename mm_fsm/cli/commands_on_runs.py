"""Commands that reach a run from another terminal: status, serve, pause, resume, stop, watchdog, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from mm_fsm.cli.arguments import JsonOption, QuietOption, choice_option, number_from, option
from mm_fsm.cli.option_names import SideName

RunDirectory = Annotated[Path, typer.Argument(metavar="DIR", help="Of the run; the last run by default.")]
Reason = Annotated[str, option("--reason", metavar="TEXT", help="Kept in the log, the status and the journal.")]
LATEST: Final = Path("runs/latest")

STATUS_EPILOG: Final = (
    "Example: mm-fsm status runs/live, or: watch mm-fsm status\n\n"
    "Exit status: 0 the run goes on or has ended; 1 its process is gone without having ended; 2 no such run."
)
PAUSE_EPILOG: Final = (
    "Example: mm-fsm pause runs/live --reason 'figures at two'\n\n"
    "Every order is cancelled and none is placed until mm-fsm resume; a restart of the run keeps the pause. "
    "The same: a file named pause in the directory, or SIGUSR1.\n\n"
    "A live run that has ended is paused when it begins again; one on paper that has ended is refused.\n\n"
    "Exit status: 0 the run sees it, or will; 1 its process is gone or silent, or it is refused; 2 no such run."
)
RESUME_EPILOG: Final = (
    "Example: mm-fsm resume runs/live\n\nThe same: remove the file pause, or SIGUSR2.\n\n"
    "Exit status: 0 the run sees it, or has ended; 1 its process is gone or silent; 2 no such run."
)
STOP_EPILOG: Final = (
    "Example: mm-fsm stop runs/live\n\n"
    "Every order is cancelled and confirmed; positions are kept or wound down, as settings say. "
    "The same: a file named stop in the directory, or Ctrl-C.\n\n"
    "Exit status: 0 the run sees it; 1 its process is gone or silent, or the run has ended; 2 no such run."
)

WATCHDOG_EPILOG: Final = (
    "Example: mm-fsm watchdog runs/live --silence 10\n\n"
    "Exit status: 0 the run ended in order; 1 it fell silent, and the venue confirms an empty book; 4 it fell silent, "
    "and orders may still be open. Only orders of the run itself are cancelled."
)

SERVE_EPILOG: Final = (
    "Example: mm-fsm serve runs/live --port 8080, or: mm-fsm serve runs/live --control\n\n"
    "It listens on 127.0.0.1 alone and shows what mm-fsm status says, once a second; /metrics serves what the run "
    "writes for Prometheus. Without --control or --token-file nobody can change anything through it.\n\n"
    "Exit status: 0 ended by Ctrl-C; 2 no such run, a port that is taken, or a token file that others may read."
)

WHY_EPILOG: Final = (
    "Example: mm-fsm why runs/demo, then: mm-fsm why runs/demo --at 00:03:05.2 --side bid\n\n"
    "Without a time: both sides' whole time by reason, and the longest silences. With one: who decided, and the "
    "smallest change of each setting with which that very step quotes the side.\n\n"
    "Exit status: 0 all time is explained; 1 some is not; 2 no sound journal, or no such time."
)


def status(*, directory: RunDirectory = LATEST, as_json: JsonOption = False) -> None:
    """Say what a run is doing now: for each side live, or why it is silent and for how long."""
    from mm_fsm.cli.status import print_status

    raise typer.Exit(print_status(directory, as_json=as_json))


def pause(*, directory: RunDirectory = LATEST, reason: Reason = "mm-fsm pause") -> None:
    """Take every order of a run out of the market and place none until it is resumed."""
    from mm_fsm.cli.operator_files import pause_run

    raise typer.Exit(pause_run(directory, reason))


def resume(*, directory: RunDirectory = LATEST) -> None:
    """Let a paused run quote again."""
    from mm_fsm.cli.operator_files import resume_run

    raise typer.Exit(resume_run(directory))


def stop(*, directory: RunDirectory = LATEST, reason: Reason = "mm-fsm stop") -> None:
    """End a run in order, as the first Ctrl-C does."""
    from mm_fsm.cli.operator_files import stop_run

    raise typer.Exit(stop_run(directory, reason))


def serve(
    *,
    directory: RunDirectory = LATEST,
    port: Annotated[
        int, typer.Option(metavar="NUMBER", help="On 127.0.0.1; 0 for any free one.", parser=number_from(0, 65535))
    ] = 0,
    control: Annotated[
        bool, option("--control", help="Offer pause, resume and stop, behind a token that is printed once.")
    ] = False,
    token_file: Annotated[
        Path | None, option(metavar="FILE", help="The same, with the token of a file that only you may read.")
    ] = None,
) -> None:
    """Show a run in a browser on this machine, from a process of its own; read-only unless you ask for more."""
    from mm_fsm.cli.serving import run_serve

    raise typer.Exit(run_serve(directory, port=port, control=control, token_file=token_file))


def watchdog(
    *,
    directory: RunDirectory = LATEST,
    silence: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Longest silence of a run that lives.", parser=number_from(2, kind=float)),
    ] = 10.0,
    most: Annotated[
        float | None,
        option(
            "--give-up",
            metavar="SECONDS",
            help="Of trying; it never gives up by default.",
            parser=number_from(1, kind=float),
        ),
    ] = None,
) -> None:
    """Watch a run from a second process, and take its orders out of the market once it has fallen silent."""
    from mm_fsm.cli.watchdog_command import run_watchdog

    raise typer.Exit(run_watchdog(directory, silence_seconds=silence, most_seconds=most))


def why(
    *,
    directory: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's directory, or a journal; the last run by default.")
    ] = LATEST,
    at: Annotated[
        str | None,
        option("--at", metavar="TIME", help="Seconds since the run began, 1h30m, 14:03:05, or an ISO date; UTC."),
    ] = None,
    begin: Annotated[str | None, option("--from", metavar="TIME", help="Begin of a window.")] = None,
    end: Annotated[str | None, option("--to", metavar="TIME", help="End of a window.")] = None,
    symbol: Annotated[str | None, option("--symbol", metavar="NAME", help="Of one market; else all.")] = None,
    side: Annotated[SideName | None, choice_option(SideName, "--side", help="Of one side; else both.")] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say why a side of the book was empty: the reason, who decided, how it ended, and which setting would help."""
    from mm_fsm.cli.why import WhyOptions, run_why
    from mm_fsm.core.messages import Side

    options = WhyOptions(
        at=at,
        begin=begin,
        end=end,
        symbol=symbol,
        side=None if side is None else Side(side),
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(run_why(directory, options))
