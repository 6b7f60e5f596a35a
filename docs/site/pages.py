"""Pages of the site that are written elsewhere: the README, the diagrams, the commands' help, the public names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import mm_fsm
from mm_fsm.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
_OUTSIDE = re.compile(r"\[([^\]]*)\]\((?:\.\./)?(?:examples|benchmarks|tests|mm_fsm|LICENSE|CHANGELOG)[^)]*\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what stands outside docs/."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    # The site shows the picture; the same chart as text is for code hosts.
    readme = re.sub(r"The same chart as text.*?<!-- end of chart -->\n", "", readme, flags=re.DOTALL)
    machine = (ROOT / "diagrams" / "market_making.md").read_text(encoding="utf-8")
    pages = {
        "index.md": readme,
        "machine.md": machine.replace("\n## States", "\n![The machine](diagrams/market_making.svg)\n\n## States", 1),
        "commands.md": "\n".join(_commands()),
        "api.md": "\n".join(_public_names()),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    for path in sorted((ROOT / "diagrams").rglob("*.*")):
        where = path.relative_to(ROOT).as_posix()
        if path.suffix == ".md":
            files.append(File.generated(config, where, content=path.read_text(encoding="utf-8")))
        else:
            files.append(File.generated(config, where, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links that leave docs/ lead to the copies; what the site does not have is named without a link."""
    return _OUTSIDE.sub(r"\1", markdown.replace("](../diagrams/", "](diagrams/"))


def _commands() -> Iterator[str]:
    """One section for each command: what it does, its options, an example."""
    yield "# Commands\n\nEvery command prints this with `--help`.\n"
    group: Any = typer.main.get_command(app)
    for name, command in sorted(group.commands.items()):
        yield f"## mm-fsm {name}\n\n{command.help}\n"
        usage = " ".join(command.collect_usage_pieces(typer.Context(command)))
        yield f"```text\nmm-fsm {name} {usage}\n```\n"
        yield "| option | meaning |\n|---|---|"
        for parameter in command.params:
            kind = parameter.type_descriptor.annotation
            is_choice = isinstance(kind, type) and issubclass(kind, Enum)
            choices = ", ".join(f"`{each.value}`" for each in kind) if is_choice else ""
            meaning = (getattr(parameter, "help", None) or "").replace("|", "&#124;")
            yield f"| {_written(parameter)} | {meaning}{f' One of {choices}.' if choices else ''} |"
        yield f"\n{command.epilog or ''}\n"


def _written(parameter: Any) -> str:
    """How a parameter is written on the command line."""
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name.upper()}`"
    names = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
    return f"{names} {parameter.metavar}" if parameter.metavar else names


def _public_names() -> Iterator[str]:
    """Every class and function that ``mm_fsm`` exports, by the module that has it."""
    yield "# API reference\n\nEverything here is imported from `mm_fsm` itself.\n"
    homes: dict[str, list[str]] = {}
    for name in mm_fsm.__all__:
        value = getattr(mm_fsm, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            homes.setdefault(value.__module__, []).append(value.__qualname__)
    for module, names in sorted(homes.items()):
        yield f"## {module}\n"
        yield from (f"::: {module}.{name}\n" for name in names)
