"""Services by name: the shipped ones, and those of other packages, found by their entry points.

Other packages are made on the spot: a module and the metadata that an installation writes, in a directory on the path.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mm_fsm.core.settings import ServiceNames
from mm_fsm.errors import PluginError
from mm_fsm.services.inventory import DefaultInventoryService
from mm_fsm.services.orders import DefaultOrderService
from mm_fsm.services.registry import default_services, load_services, registered_services
from mm_fsm.services.risk import DefaultRiskService
from mm_fsm.services.spreads import DefaultSpreadService

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package: its module's code, and its entry points as group to lines."""

    def write(name: str, code: str, entry_points: dict[str, str]) -> None:
        place = tmp_path / name
        metadata = place / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (place / f"{name}_services.py").write_text(textwrap.dedent(code))
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"[{group}]\n{line}\n" for group, line in entry_points.items()]
        (metadata / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(place)

    yield write
    for name in ("sunrise_services", "moonset_services"):
        sys.modules.pop(name, None)


TOUCH_AND_GO = """
    class TouchAndGo:
        def hold_market(self, context):
            return None

        def price_quotes(self, context):
            raise NotImplementedError

        def are_quotes_stale(self, context):
            return False
"""


def test_what_is_given_takes_the_place_of_a_shipped_service() -> None:
    mine = DefaultSpreadService()
    services = default_services(spreads=mine)
    assert services.spreads is mine
    others = [type(each) for each in (services.orders, services.inventory, services.risk)]
    assert others == [DefaultOrderService, DefaultInventoryService, DefaultRiskService]


def test_the_shipped_services_are_the_default() -> None:
    services = load_services(ServiceNames())
    assert isinstance(services.spreads, DefaultSpreadService)
    assert isinstance(services.orders, DefaultOrderService)
    assert isinstance(services.inventory, DefaultInventoryService)
    assert isinstance(services.risk, DefaultRiskService)


def test_every_machine_gets_services_of_its_own() -> None:
    assert load_services(ServiceNames()).risk is not load_services(ServiceNames()).risk


def test_a_service_of_another_package_is_chosen_by_its_name(install: Install) -> None:
    install("sunrise", TOUCH_AND_GO, {"mm_fsm.spreads": "touch-and-go = sunrise_services:TouchAndGo"})
    services = load_services(ServiceNames(spreads="touch-and-go"))
    assert type(services.spreads).__name__ == "TouchAndGo"
    assert isinstance(services.orders, DefaultOrderService)


def test_a_function_that_makes_the_service_serves_too(install: Install) -> None:
    install(
        "sunrise",
        TOUCH_AND_GO + "\n    def make():\n        return TouchAndGo()\n",
        {"mm_fsm.spreads": "made = sunrise_services:make"},
    )
    assert type(load_services(ServiceNames(spreads="made")).spreads).__name__ == "TouchAndGo"


def test_what_is_installed_is_listed_with_where_it_comes_from(install: Install) -> None:
    install("sunrise", TOUCH_AND_GO, {"mm_fsm.spreads": "touch-and-go = sunrise_services:TouchAndGo"})
    listed = {(each.role, each.name, each.origin, each.target) for each in registered_services()}
    assert ("spreads", "touch-and-go", "sunrise", "sunrise_services:TouchAndGo") in listed
    for role, target in (
        ("spreads", "mm_fsm.services.spreads:DefaultSpreadService"),
        ("orders", "mm_fsm.services.orders:DefaultOrderService"),
        ("inventory", "mm_fsm.services.inventory:DefaultInventoryService"),
        ("risk", "mm_fsm.services.risk:DefaultRiskService"),
    ):
        assert (role, "default", "mm-fsm", target) in listed


@pytest.mark.parametrize("role", ["spreads", "orders", "inventory", "risk"])
def test_a_name_that_nobody_registered_is_refused_with_the_names_there_are(role: str) -> None:
    with pytest.raises(PluginError) as refused:
        load_services(ServiceNames(**{role: "sundown"}))
    message = str(refused.value)
    assert f"services.{role}" in message
    assert "'default'" in message
    assert "found 'sundown'" in message
    assert f"'mm_fsm.{role}'" in message


def test_a_service_registered_for_another_role_is_not_found(install: Install) -> None:
    install("sunrise", TOUCH_AND_GO, {"mm_fsm.spreads": "touch-and-go = sunrise_services:TouchAndGo"})
    with pytest.raises(PluginError, match=r"services\.risk.*found 'touch-and-go'"):
        load_services(ServiceNames(risk="touch-and-go"))


def test_a_class_that_lacks_a_method_is_refused_with_the_methods_it_lacks(install: Install) -> None:
    code = """
        class HalfMade:
            def hold_market(self, context):
                return None

            price_quotes = "not a method"
    """
    install("sunrise", code, {"mm_fsm.spreads": "half = sunrise_services:HalfMade"})
    with pytest.raises(PluginError) as refused:
        load_services(ServiceNames(spreads="half"))
    message = str(refused.value)
    assert "['price_quotes', 'are_quotes_stale']" in message
    assert "sunrise_services:HalfMade" in message
    assert "mm_fsm.services.protocols.SpreadService" in message


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("class Broken:\n    def __init__(self):\n        raise OSError('no licence')\n", "no licence"),
        ("class Broken:\n    def __init__(self, needed):\n        pass\n", "needed"),
        ("raise RuntimeError('half installed')\n", "half installed"),
        ("import a_package_that_is_not_installed_anywhere\n", "a_package_that_is_not_installed_anywhere"),
        ("Fixed = 1\n", "Broken"),
        ("Broken = 7\n", "not callable"),
    ],
)
def test_a_service_that_cannot_be_made_is_refused_with_its_cause(install: Install, code: str, cause: str) -> None:
    install("moonset", code, {"mm_fsm.orders": "broken = moonset_services:Broken"})
    with pytest.raises(PluginError) as refused:
        load_services(ServiceNames(orders="broken"))
    message = str(refused.value)
    assert "services.orders: 'broken' (moonset_services:Broken)" in message
    assert cause in message
    assert "Repair that package" in message
    assert refused.value.__cause__ is not None


def test_another_package_cannot_take_the_place_of_the_default(install: Install) -> None:
    install("sunrise", TOUCH_AND_GO, {"mm_fsm.spreads": "default = sunrise_services:TouchAndGo"})
    assert isinstance(load_services(ServiceNames()).spreads, DefaultSpreadService)


def test_a_broken_package_is_no_hindrance_to_those_who_do_not_use_it(install: Install) -> None:
    install("moonset", "raise RuntimeError('half installed')", {"mm_fsm.orders": "broken = moonset_services:Broken"})
    assert isinstance(load_services(ServiceNames()).orders, DefaultOrderService)
    assert any(each.name == "broken" for each in registered_services())
