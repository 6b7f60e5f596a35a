"""The log of every command: one form of its lines, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from loguru import logger
from rich.text import Text

from mm_fsm.cli.consoles import message_console

if TYPE_CHECKING:
    from loguru import Message, Record


def log_to_standard_error() -> None:
    """Send the log to standard error as ``time level event field=value ...``."""
    logger.remove()
    # a bug's traceback without the values of its variables: one of them may be a key
    logger.add(_write, format=_line_format, level="INFO", colorize=False, backtrace=False, diagnose=False)


_STYLES: Final = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}
"""On a terminal, by level: what somebody must look at stands out among what goes well."""


def _write(message: Message) -> None:
    """Write to what standard error is now: a program around this one may have replaced, and closed, an earlier one."""
    style, console = _STYLES.get(message.record["level"].name), message_console()
    if style is None or not console.is_terminal:
        sys.stderr.write(message)
    else:
        console.print(Text(message.rstrip("\n"), style=style), soft_wrap=True)


def _line_format(record: Record) -> str:
    record["extra"]["_fields"] = " ".join(f"{name}={_quoted(value)}" for name, value in _shown(record["extra"]))
    return "{time:HH:mm:ss} {level} {message} {extra[_fields]}\n{exception}"


def _shown(extra: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Fields that say something, each under a key that ends at its ``=``: some are named after what they are of."""
    told = {name: value for name, value in extra.items() if value is not None and not name.startswith("_")}
    return [(name.replace(" ", "_"), value) for name, value in told.items()]


def _quoted(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text else text
