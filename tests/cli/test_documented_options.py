"""Every option that the pages name beside a command of ours is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from mm_fsm.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = {
    name: {each for parameter in found.params for each in (*parameter.opts, *parameter.secondary_opts)}
    for name, found in get_command(app).commands.items()  # type: ignore[attr-defined]
}
ANY = set().union(*COMMANDS.values(), {"--help", "--version", "--install-completion"})
CALL = re.compile(r"mm-fsm ([a-z][a-z-]*)((?:\\\n|[^\n`|;&#])*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
SPAN = re.compile(r"(?<!`)`(--[a-z][a-z-]*)[^`]*`(?!`)")


def calls(text: str) -> Iterator[tuple[str, str]]:
    """Command and option, where both stand in one line of code."""
    for command, rest in CALL.findall(text):
        for option in OPTION.findall(rest) if command in COMMANDS else ():
            yield command, option


def unknown(text: str) -> list[str]:
    """Options that no command has: written after one, or alone in a section that names one."""
    wrong = [f"{command} {option}" for command, option in calls(text) if option not in COMMANDS[command] | {"--help"}]
    for section in re.split(r"^#+ ", text, flags=re.MULTILINE):
        if any(command in COMMANDS for command, _ in CALL.findall(section)):
            wrong += [option for option in SPAN.findall(section) if option not in ANY]
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_option_on_the_page_exists(page: Path) -> None:
    assert unknown(page.read_text(encoding="utf-8")) == []


def test_one_that_does_not_is_found() -> None:
    assert unknown("## A\n\n`mm-fsm watchdog DIR --silence 10`, until `--most` seconds\n") == ["--most"]
    assert unknown("mm-fsm run \\\n  --most 10") == ["run --most"]
    assert unknown("`mm-fsm status --live`") == ["status --live"]
    assert unknown("## A\n\n`pip install --pre`\n") == []
