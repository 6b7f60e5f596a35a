"""``plugins``: what settings can name."""

from __future__ import annotations

import json

import attrs
from rich.table import Table
from rich.text import Text

from mm_fsm.cli.consoles import result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.runtime.presets import preset_names
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.services.registry import registered_services
from mm_fsm.venues.kinds import registered_kinds


def print_plugins(*, as_json: bool) -> int:
    """Print every kind of venue, service and preset, as JSON or as tables; the status says whether all can be used."""
    console = result_console()
    kinds, services = list(registered_kinds()), list(registered_services())
    presets = [read_preset(name) for name in preset_names()]
    status = ExitCode.FAILURE if any(service.problem for service in services) else ExitCode.SUCCESS
    if as_json:
        content = {
            "venues": [attrs.asdict(kind) for kind in kinds],
            "services": [attrs.asdict(service) for service in services],
            "presets": [
                {
                    "name": preset.preset,
                    "symbol": preset.symbol,
                    "exchanges": list(preset.recording.exchanges) if preset.recording else [],
                    "recorded_symbols": list(preset.recording.symbols) if preset.recording else [],
                }
                for preset in presets
            ],
        }
        console.out(json.dumps(content, indent=2), highlight=False)
        return status
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in ("venue kind", "from", "target"):
        table.add_column(header, overflow="fold")
    for kind in kinds:
        table.add_row(kind.name, kind.origin, kind.target)
    console.print(table)
    console.print()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in ("service", "name", "from", "target"):
        table.add_column(header, overflow="fold")
    for service in services:
        table.add_row(service.role, service.name, service.origin, service.target)
    console.print(table)
    for service in services:
        if service.problem is not None:
            console.print(Text(f"broken: {service.problem}", style="red"), soft_wrap=True)
    console.print()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in ("preset", "symbol", "maker / taker bps", "fits recordings of"):
        table.add_column(header, overflow="fold")
    for preset in presets:
        fits = preset.recording
        recordings = f"{', '.join(fits.symbols)} at {', '.join(fits.exchanges)}" if fits else "-"
        fees = f"{preset.fees.maker_bps} / {preset.fees.taker_bps}" if preset.fees else "-"
        table.add_row(preset.preset, preset.symbol, fees, recordings)
    console.print(table)
    return status
