"""What a scraper is answered, by the run itself or by a process beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mm_fsm.errors import FileError
from mm_fsm.report.run_condition import RunCondition, condition_of
from mm_fsm.report.status import read_status
from mm_fsm.runtime.loopback_server import Response, text_response
from mm_fsm.runtime.operations import OperationsDirectory

METRICS_FILE: Final = "metrics.prom"
"""In the directory of a run."""
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Of Prometheus' text format."""
_OFF: Final = "This run writes no figures. Write enabled = true below [metrics] in its settings."


def metrics_response(text: bytes) -> Response:
    """The figures as Prometheus reads them."""
    return Response(body=text, content_type=CONTENT_TYPE)


def metrics_of_run(directory: Path) -> Response:
    """The figures that a run wrote last, while it runs.

    Of any other run there are none: a scrape that fails says so, figures that stand still do not.
    """
    try:
        status = read_status(directory)
        condition = condition_of(OperationsDirectory(directory), status)
        if condition is not RunCondition.RUNNING:
            return text_response(f"No figures: the run is {condition}.", 503)
        return metrics_response((directory / METRICS_FILE).read_bytes())
    except FileError as error:
        return text_response(str(error), 503)
    except OSError:
        return text_response(_OFF, 404)
