"""``calibrate``: parameters of a recorded market, ready to paste."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import asdict

from mm_fsm.cli.backtesting import configuration_for, settings_to_write
from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.late_files import require_writable
from mm_fsm.cli.options import RecordingOptions
from mm_fsm.cli.recordings import described, figures_of, opened_for, recorded_files, remarks_on
from mm_fsm.errors import OptionError, SettingsError
from mm_fsm.estimators.decay import Estimate
from mm_fsm.search.calibration import Calibration, calibrate, calibrated_settings
from mm_fsm.venues.paper import PaperAccount


def run_calibrate(
    given: RecordingOptions, *, settings: Path | None, preset: str | None, out: Path | None, as_json: bool
) -> int:
    """Fit every market of the files and print what was found; the exit status.

    Raises:
        MarketMakerError: settings or a recording are refused, or the model cannot be written.
    """
    files_by_market = recorded_files(given, "calibrate")
    if out is not None and len(files_by_market) > 1:
        raise OptionError("--out", "one market", len(files_by_market), "Name it with --symbol.")
    if out is not None:
        require_writable("--out", out)
    entries: list[dict[str, Any]] = []
    for symbol, files in files_by_market.items():
        info = described(files, given, symbol)
        configuration = configuration_for(info, settings, preset)
        if configuration is None:
            print_message(settings_to_write(info))
            return ExitCode.BAD_INPUT
        if not isinstance(configuration.venue, PaperAccount):
            raise SettingsError("venue.kind", "'paper' or 'recorded'", configuration.venue_kind, "Use other settings.")
        recording = opened_for(files, given, info, configuration.reading, configuration.symbol)
        found = calibrate(recording, configuration.strategy, configuration.venue.instrument)
        model_file = _written(found, out)
        entries.append({"recording": figures_of(recording, info), **_plain(found)})
        for remark in remarks_on(recording, info):
            print_message(remark, style="dim")
        if not as_json:
            result_console().out("\n".join(calibrated_settings(found, model_file)), highlight=False)
    if as_json:
        result_console().out(json.dumps({"markets": entries}, indent=2), highlight=False)
    return ExitCode.SUCCESS


def _written(found: Calibration, out: Path | None) -> str | None:
    """Write the micro-price model; its path as settings name it."""
    if out is None:
        return None
    if found.micro_price is None:
        raise OptionError("--out", "a recording whose mid moves", "one that does not", "Use a longer recording.")
    try:
        out.write_text(found.micro_price.dumps(), encoding="utf-8")
    except OSError as failure:
        found_instead = failure.strerror or str(failure)
        raise OptionError("--out", "a file that can be written", found_instead, "Check the path.") from None
    return out.as_posix()


def _plain(found: Calibration) -> dict[str, Any]:
    def value(estimate: Estimate | None) -> dict[str, Any] | None:
        return None if estimate is None else {"value": estimate.value, "interval": list(estimate.interval)}

    sides = {
        name: None
        if fit is None
        else {
            "intensity_per_second": value(fit.rate_per_second),
            "decay_per_bps": value(fit.decay_per_bps),
            "r_squared": fit.r_squared,
        }
        for name, fit in (("sellers", found.sellers), ("buyers", found.buyers))
    }
    return {
        "market": found.market,
        **sides,
        "intensity_per_second": value(found.intensity),
        "decay_per_bps": value(found.decay_per_bps),
        "ewma_volatility_per_sqrt_s": value(found.ewma),
        "two_scale_volatility_per_sqrt_s": value(found.two_scale),
        "kyle_lambda": value(found.kyle_lambda),
        "volume_per_second": found.volume_per_second,
        "micro_price": None if found.micro_price is None else asdict(found.micro_price),
    }
