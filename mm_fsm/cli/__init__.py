"""The command line ``mm-fsm``: the composition root, where settings become machines, services and venues."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process."""
    from mm_fsm.cli.app import app  # noqa: PLC0415 - importing the package loads no command line library

    app()
