"""``convert``: recorded markets from one format to another."""

from __future__ import annotations

import json
from pathlib import Path

from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.options import RecordingOptions
from mm_fsm.cli.recordings import described, figures_of, opened_for, recorded_files, remarks_on
from mm_fsm.venues.recorded import ReadingSettings
from mm_fsm.venues.recorded.writing import write_recording


def run_convert(given: RecordingOptions, form: str, directory: Path, *, as_json: bool) -> int:
    """Write every market of the files in another format, and say what was read; the exit status.

    Raises:
        MarketMakerError: a recording is refused, or cannot be written.
    """
    entries = []
    for symbol, files in recorded_files(given, "convert").items():
        info = described(files, given, symbol)
        recording = opened_for(files, given, info, ReadingSettings(), info.symbol)
        written = write_recording(recording, info, form, directory)
        entries.append({**figures_of(recording, info), "files": [str(path) for path in written]})
        for remark in remarks_on(recording, info):
            print_message(remark, style="dim")
        if not as_json:
            names = ", ".join(str(path) for path in written)
            counts = f"{recording.books:,} books and {recording.trades:,} trades"
            result_console().out(f"{info.symbol}: {counts} -> {names}", highlight=False)
    if as_json:
        result_console().out(json.dumps({"recordings": entries}, indent=2), highlight=False)
    return ExitCode.SUCCESS
