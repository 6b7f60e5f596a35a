"""What makes exchange objects: what is wrong with a factory that settings name is told as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.library import named_factory


def test_a_module_that_a_factory_needs_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As without the extra: ``None`` in ``sys.modules`` is a module that cannot be imported."""
    client = "mm_fsm.testing.rehearsal.client"
    monkeypatch.delitem(sys.modules, client, raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(SettingsError) as refused:
        named_factory(f"{client}:rehearsal_exchange", "venue.factory")
    text = str(refused.value)
    assert text.startswith(f"setting 'venue.factory': {client}:rehearsal_exchange needs the module 'aiohttp'")
    assert text.endswith("pip install 'mm-fsm[rehearsal]'.")


def test_so_is_one_of_somebody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_exchange.py").write_text("import surely_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        SettingsError, match=r"needs the module 'surely_not_there', which is not there\. Install surely"
    ):
        named_factory("my_exchange:make", "venue.factory")


@pytest.mark.parametrize("target", ["surely_not_there:make", "surely_not_there.below:make", "json:surely_not", "", ":"])
def test_what_is_no_function_is_refused_as_that(target: str) -> None:
    with pytest.raises(SettingsError, match="expected a function, as module:function"):
        named_factory(target, "venue.factory")
