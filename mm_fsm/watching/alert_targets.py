"""Where messages go: apprise's addresses, read from the environment or a private file and shown nowhere.

An address holds a password or a token. It is in no repr, no error and no log: a target is named by its number and its
service. apprise itself would log addresses, so that its log is switched off.
"""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from mm_fsm.errors import SettingsError, VariableError
from mm_fsm.runtime.watching_settings import AlertSettings
from mm_fsm.venues.private_file import private_text

_FILE: Final = "alerts.targets_file"
_MOST_TARGETS: Final = 10
_SERVICES: Final = "https://github.com/caronc/apprise has the form for each service"


@frozen
class AlertTarget:
    """One address, ready to take messages."""

    name: str
    """For logs: its number and service."""
    _plugin: Any = field(repr=False)

    def send(self, title: str, body: str) -> bool:
        """Send one message; whether the service took it. Blocks for as long as the service lets it. Never raises."""
        try:
            return bool(self._plugin.notify(title=title, body=body, notify_type="warning"))
        except Exception:  # noqa: BLE001 - whatever a service's code raises may hold the address
            return False


def read_targets(settings: AlertSettings) -> tuple[AlertTarget, ...]:
    """Every target that the settings name. Nothing is sent.

    Raises:
        SettingsError: apprise is not installed, a variable or file is missing or may be read by others, or an address
            is none. No error shows an address.
    """
    try:
        import apprise  # noqa: PLC0415 - it takes a while, and is needed only where somebody is to be told
    except ModuleNotFoundError:
        remedy = "Install mm-fsm[alerts], or leave the table out."
        raise SettingsError("alerts", "the package apprise", "none", remedy) from None
    _silence_logs()
    targets = []
    for number, (address, source) in enumerate(_addresses(settings), 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its modules are loaded now, and some use what Python will drop
            plugin = apprise.Apprise.instantiate(address)
        if plugin is None:
            expected = f"addresses that apprise knows; number {number} is none"
            raise SettingsError(source, expected, "***", f"Correct that address: {_SERVICES}.")
        service = str(getattr(plugin, "service_name", "unknown"))
        targets.append(AlertTarget(f"{number} ({service})", plugin))
    if len(targets) > _MOST_TARGETS:
        raise SettingsError("alerts", f"at most {_MOST_TARGETS} addresses", len(targets), "Leave some out.")
    return tuple(targets)


def _addresses(settings: AlertSettings) -> list[tuple[str, str]]:
    """Each address, with the setting that it comes from."""
    found = []
    if settings.targets_variable is not None:
        text = os.environ.get(settings.targets_variable, "")
        if not text.split():
            remedy = "Set it where the program starts; never write an address into the settings."
            raise VariableError(settings.targets_variable, "addresses of apprise", "nothing", remedy)
        found += [(each, "alerts.targets_variable") for each in text.split()]
    if settings.targets_file is not None:
        lines = map(str.strip, private_text(Path(settings.targets_file), _FILE).splitlines())
        in_file = [(line, _FILE) for line in lines if line and not line.startswith("#")]
        if not in_file:
            raise SettingsError(_FILE, "one address a line", "nothing", "Write the addresses into the file.")
        found += in_file
    return found


def _silence_logs() -> None:
    """Log nothing of apprise, which shows addresses, nor of urllib3's requests, whose paths hold tokens."""
    for name, level in (("apprise", logging.CRITICAL + 1), ("urllib3", logging.WARNING)):
        logging.getLogger(name).setLevel(max(level, logging.getLogger(name).level))
