"""The command line ``mm-fsm``: the composition root. Commands load what they need when they run, so that help is quick."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process."""
    from mm_fsm.cli.app import app  # noqa: PLC0415 - importing the package loads no command line library

    app()
