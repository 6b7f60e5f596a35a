"""What tests of drivers do by hand: name edges, look events up, and make a guard true or false."""

from __future__ import annotations

from typing import Any

from mm_fsm.books.order_lifecycle import OrderEvent, OrderStatus, status_after
from mm_fsm.testing import Driver
from tests.testing.charts import Light


def places(driver: Driver, *keys: str) -> tuple[int, ...]:
    """Places of edges by how their keys begin."""
    found = []
    for key in keys:
        (place,) = (place for place, one in enumerate(driver.model.edge_keys) if one.startswith(key))
        found.append(place)
    return tuple(found)


def look_up(subject: str, state: str, event: str) -> str:
    return status_after(subject, OrderStatus(state), OrderEvent(event))


def set_traffic(number: int) -> Any:
    def set_it(machine: Light) -> None:
        machine.traffic = number

    return set_it


TRAFFIC = {"has_traffic": (set_traffic(3), set_traffic(0))}
