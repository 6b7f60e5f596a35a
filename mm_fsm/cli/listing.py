"""``plugins``: what settings and the command line can name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import attrs
from rich.table import Table
from rich.text import Text

from mm_fsm.cli.consoles import result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.user_code import registered_machines
from mm_fsm.runtime.presets import preset_names
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset
from mm_fsm.services.registry import registered_services
from mm_fsm.venues.kinds import registered_kinds


def print_plugins(*, as_json: bool) -> int:
    """Print venue kinds, services, machines and presets, as JSON or as tables; the status says whether all work."""
    console = result_console()
    kinds, services, machines = list(registered_kinds()), list(registered_services()), list(registered_machines())
    presets = [read_preset(name) for name in preset_names()]
    problems = [*(each.problem for each in services), *(each.problem for each in machines)]
    broken = [problem for problem in problems if problem is not None]
    if as_json:
        content = {
            "venues": [attrs.asdict(kind) for kind in kinds],
            "services": [attrs.asdict(service) for service in services],
            "machines": [attrs.asdict(machine) for machine in machines],
            "presets": [_preset_entry(preset) for preset in presets],
        }
        console.out(json.dumps(content, indent=2), highlight=False)
    else:
        for headers, rows in (
            (("venue kind", "from", "target"), [(kind.name, kind.origin, kind.target) for kind in kinds]),
            (("service", "name", "from", "target"), [(one.role, one.name, one.origin, one.target) for one in services]),
            (("machine", "from", "target"), [(one.name, one.origin, one.target) for one in machines]),
            (("preset", "symbol", "maker / taker bps", "fits recordings of"), map(_preset_row, presets)),
        ):
            table = _table(headers, rows)
            if table.row_count:
                console.print(table)
                console.print()
        for problem in broken:
            console.print(Text(f"broken: {problem}", style="red"), soft_wrap=True)
    return ExitCode.FAILURE if broken else ExitCode.SUCCESS


def _preset_entry(preset: MarketConfiguration) -> dict[str, object]:
    return {
        "name": preset.preset,
        "symbol": preset.symbol,
        "exchanges": list(preset.recording.exchanges) if preset.recording else [],
        "recorded_symbols": list(preset.recording.symbols) if preset.recording else [],
    }


def _preset_row(preset: MarketConfiguration) -> tuple[str, ...]:
    fits = preset.recording
    recordings = f"{', '.join(fits.symbols)} at {', '.join(fits.exchanges)}" if fits else "-"
    fees = f"{preset.fees.maker_bps} / {preset.fees.taker_bps}" if preset.fees else "-"
    return (preset.preset, preset.symbol, fees, recordings)


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
