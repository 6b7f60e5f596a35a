"""Where a run comes from: command, versions, settings, data. Written as it begins, so that a killed run has it too."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import attrs
import cattrs
from attrs import field, frozen

from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.errors import FileError, SettingsError
from mm_fsm.report.exact import as_json
from mm_fsm.report.figures import FillModel, Reproduction
from mm_fsm.report.run_data.fill_models import fill_model_of
from mm_fsm.report.run_data.settings_text import SETTINGS_FILE, Tables, left_out, settings_tables, settings_text
from mm_fsm.runtime.settings_file import MarketConfiguration

ORIGIN_FILE: Final = "origin.json"


@frozen(kw_only=True)
class RecordedData:
    """What a market's venue plays where its settings do not name it."""

    files: tuple[Path, ...] = ()
    has_trades: bool = True


@frozen(kw_only=True)
class MarketOrigin:
    """Of one market."""

    preset: str
    seed: int | None
    recordings: tuple[str, ...]
    settings: Mapping[str, Mapping[str, Any]]
    """By table, as JSON has them."""
    fill_model: FillModel
    left_out: tuple[str, ...]
    """Tables of service options that are in no file."""
    programme: ProgrammeRule
    """What presence is held against."""


@frozen(kw_only=True)
class RunOrigin:
    """Of a run."""

    command: tuple[str, ...]
    versions: Mapping[str, str]
    markets: Mapping[str, MarketOrigin] = field(factory=dict)

    def reproduction(self, *, journals: Mapping[str, str], made_by: str) -> Reproduction:
        """What of it the report shows."""
        return Reproduction(
            command=self.command,
            versions=self.versions,
            seeds={symbol: each.seed for symbol, each in self.markets.items()},
            recordings={symbol: each.recordings for symbol, each in self.markets.items()},
            journals=journals,
            made_by=made_by,
        )


def versions_here() -> dict[str, str]:
    """What decides how a run goes, besides its settings."""
    return {
        "mm-fsm": version("mm-fsm"),
        "python": platform.python_version(),
        "python-statemachine": version("python-statemachine"),
        "platform": platform.platform(terse=True),
    }


def origin_of(
    configurations: Sequence[MarketConfiguration],
    command: Sequence[str],
    recorded: Mapping[str, RecordedData] | None = None,
) -> tuple[RunOrigin, str]:
    """The origin of a run that is about to begin, and the text of a settings file that repeats it."""
    recorded = recorded or {}
    tables: dict[str, Tables] = {}
    markets = {}
    for each in configurations:
        data = recorded.get(each.symbol, RecordedData())
        tables[each.symbol] = settings_tables(each, data.files)
        markets[each.symbol] = _market_origin(each, data, tables[each.symbol])
    origin = RunOrigin(command=tuple(command), versions=versions_here(), markets=markets)
    return origin, settings_text(list(tables.values()))


def _market_origin(configuration: MarketConfiguration, data: RecordedData, tables: Tables) -> MarketOrigin:
    files = tables["venue"].get("files", ())
    seed = tables["simulator"]["seed"] if "simulator" in tables else tables.get("paper", {}).get("seed")
    return MarketOrigin(
        preset=configuration.preset,
        seed=seed,
        recordings=tuple(files),
        settings=as_json(tables),
        fill_model=fill_model_of(configuration, is_recorded=bool(files), has_trades=data.has_trades),
        left_out=left_out(configuration),
        programme=configuration.programme,
    )


def notes_on(origin: RunOrigin) -> tuple[str, ...]:
    """What the settings of a run's files lack."""
    return tuple(
        f"{symbol}: options of {name} are of another package's service, and in no file of the run"
        for symbol, market in origin.markets.items()
        for name in market.left_out
    )


def write_origin(directory: Path, origin: RunOrigin, settings: str) -> None:
    """Write both files.

    Raises:
        OSError: the directory cannot be written to.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / SETTINGS_FILE).write_text(settings, encoding="utf-8")
    text = json.dumps(as_json(attrs.asdict(origin)), indent=1, allow_nan=False) + "\n"
    (directory / ORIGIN_FILE).write_text(text, encoding="utf-8")


def read_origin(directory: Path) -> RunOrigin | None:
    """What ``write_origin`` wrote; None where there is nothing, as of runs of earlier versions.

    Raises:
        FileError: the file is damaged.
    """
    path = directory / ORIGIN_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return cattrs.structure(content, RunOrigin)
    except FileNotFoundError:
        return None
    except OSError as failure:
        raise _unreadable(path, failure.strerror or str(failure)) from None
    except (ValueError, SettingsError, cattrs.BaseValidationError) as failure:
        raise _unreadable(path, str(failure)) from None


def _unreadable(path: Path, found: str) -> FileError:
    return FileError(str(path), "the origin of a run", found, "Remove the file: the journal has the settings, too.")
