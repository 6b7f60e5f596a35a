"""What the documents show runs: every Python block, and every link to a file."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest
from attrs import fields

from mm_fsm.books.facts.registry import FACTS
from mm_fsm.core.setting_fields import ROLE
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.core.settings_tables import known_keys
from mm_fsm.runtime.market_layers import COMMON_TABLES, VENUE_KEYS
from mm_fsm.runtime.settings_file import parse_settings
from mm_fsm.services import registry
from mm_fsm.venues.kinds import load_kind, registered_kinds
from tests.cli.command_line import run_process
from tests.runtime.settings_texts import MARKET

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{document.name}-{number}")
    for document in DOCUMENTS
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_python_block_runs(block: str, tmp_path: Path) -> None:
    """A reader can paste it into a file and run it."""
    script = tmp_path / "snippet.py"
    script.write_text(block, encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    assert finished.returncode == 0, finished.stderr


def test_the_subclass_of_the_readme_fits_fifteen_lines_and_pauses(tmp_path: Path) -> None:
    """The class pauses from second 300 to 360: 60 seconds, as its guard says."""
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    assert len([line for line in block[1].splitlines() if line.strip()]) <= 15
    script = tmp_path / "subclass.py"
    script.write_text(block[1], encoding="utf-8")
    finished = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=True)
    assert re.match(r"60(\.\d+)? seconds paused", finished.stdout), finished.stdout


def test_the_subclass_of_the_readme_pauses_under_the_command_line_too(tmp_path: Path) -> None:
    """``mm-fsm run`` begins where its market does, in 2024: the guard must hold at any time of the clock."""
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    (tmp_path / "readme_maker.py").write_text(block[1], encoding="utf-8")
    options = ("--machine", "readme_maker:NewsMaker", "--duration", "6m", "--no-journal", "--quiet", "--json")
    finished = run_process("run", *options, "--out", tmp_path / "out", directory=tmp_path)
    assert finished.status == 0, finished.messages
    for market in ("ETH-USD", "BTC-USD"):
        assert ",pause,paused," in (tmp_path / "out" / market / "transitions.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FACTS)
def test_a_host_reads_of_every_kind_of_fact(name: str) -> None:
    """When to send it stands on the page for hosts."""
    assert f"`{name}`" in (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    """Links are relative to the document."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


SETTINGS = [
    pytest.param(block, id=f"{document.name}-{number}")
    for document in DOCUMENTS
    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("block", SETTINGS)
def test_a_settings_block_is_accepted(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader can save it as a file and run it, with the package installed whose making is shown beside it."""
    shown = EntryPoints(
        [EntryPoint(name="funding", value="funding_spreads:FundingSpreadService", group="mm_fsm.spreads")]
    )
    monkeypatch.setattr(registry, "entry_points", lambda group: shown.select(group=group))
    assert parse_settings(block)


def test_every_command_of_the_readme_exists() -> None:
    """The help of the command line names each."""
    named = set(re.findall(r"`mm-fsm (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    shown = subprocess.run(
        [Path(sys.executable).with_name("mm-fsm"), "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert named
    assert {name for name in named if name not in shown.stdout} == set()


WRITTEN = runpy.run_path(str(ROOT / "docs" / "site" / "written_parts.py"))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "demonstration")) for name in WRITTEN["PARTS"]]
)
def test_what_the_program_writes_into_a_document_is_as_it_is_now(name: str) -> None:
    """Otherwise ``make diagrams`` writes it again."""
    document, make = WRITTEN["PARTS"][name]
    text = (ROOT / document).read_text(encoding="utf-8")
    assert WRITTEN["with_part"](text, name, make()) == text


def documented_settings() -> dict[str, dict[str, str]]:
    """By table and key, what docs/settings.md says holds when the key is left out."""
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^## \[(\w+)\]$", text, flags=re.MULTILINE)
    rows = re.compile(r"^\| `(\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)
    return {table: dict(rows.findall(body)) for table, body in zip(parts[::2], parts[1::2], strict=True)}


def test_every_setting_is_documented_and_none_that_is_not_there() -> None:
    """What the file's own code knows is what the document has, for every table and shipped kind of venue."""
    tables = [COMMON_TABLES, *(load_kind(kind.name).tables for kind in registered_kinds() if kind.origin == "mm-fsm")]
    expected: dict[str, set[str]] = {"venue": {*VENUE_KEYS}}
    for table, kind in (each for some in tables for each in some.items()):
        expected.setdefault(table, set()).update(known_keys(kind))
    assert {table: {*keys} for table, keys in documented_settings().items()} == expected


def test_the_class_of_each_setting_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    strategy = text.split("## [strategy]")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .+? \| (preference|protection|venue) \| .+ \|$", strategy, re.MULTILINE)
    assert dict(rows) == {each.name: each.metadata[ROLE].value for each in fields(MarketMakingSettings)}


def as_toml(tables: dict[str, dict[str, Any]]) -> str:
    return "".join(
        f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
        for table, keys in tables.items()
    )


def test_writing_the_documented_defaults_changes_nothing() -> None:
    """Of what the document says in words or leaves to the reader there is nothing to write."""
    documented = documented_settings()
    market = tomllib.loads(MARKET)
    needed = {
        table: {key: market[table][key] for key, default in documented[table].items() if default == "-"}
        for table in ("instrument", "fees", "balances")
    }
    literals = {
        table: {key: default for key, default in keys.items() if re.fullmatch(r'[\d.]+|true|false|"\w+"', default)}
        for table, keys in documented.items()
    }
    written = {
        table: {key: tomllib.loads(f"value = {default}")["value"] for key, default in keys.items()}
        for table, keys in literals.items()
        if keys
    }
    assert sum(len(keys) for keys in written.values()) > 80
    both = {table: {**needed.get(table, {}), **keys} for table, keys in {**needed, **written}.items()}
    assert parse_settings(as_toml(both)) == parse_settings(as_toml(needed))
