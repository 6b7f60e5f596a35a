"""Gueant, Lehalle and Fernandez-Tapia (2013), "Dealing with the inventory risk", with order size D.

The exact quotes solve, for n = q / D within +-N, with alpha = k gamma sigma^2 D / 2, eta = A (1 + gamma D / k) **
-(1 + k / (gamma D)) and v(T) = 1::

    dv_n / dt = alpha n^2 v_n - eta (v_(n-1) + v_(n+1))
    bid = ln(v_n / v_(n+1)) / k + ln(1 + gamma D / k) / (gamma D)        ask likewise with v_(n-1)

so v = exp(-M (T - t)) 1 with a tridiagonal M. Far from the end they settle at what the closed form approximates::

    c1 = ln(1 + gamma D / k) / (gamma D)    c2 = sqrt(gamma / (2 A D k) (1 + gamma D / k) ** (k / (gamma D) + 1))
    bid = c1 + sigma c2 D / 2 + sigma c2 q    ask = c1 + sigma c2 D / 2 - sigma c2 q

It is made for quoting without an end.
"""

from __future__ import annotations

import math
from typing import Final

from mm_fsm.services.models.distances import Distances, require_positive

_TERMS: Final = 24
"""Of the exponential's series in each step; the step keeps the matrix's norm at 1, so the rest is below 1e-23."""


def asymptotic_distances(
    *,
    position: float,
    volatility: float,
    risk_aversion: float,
    intensity: float,
    decay: float,
    order_size: float = 1.0,
) -> Distances:
    """Distances of bid and ask by the closed form; units as the package says.

    Raises:
        SettingsError: risk aversion, intensity, decay or order size is not positive and finite.
    """
    require_positive(risk_aversion=risk_aversion, intensity=intensity, decay=decay, order_size=order_size)
    ratio = risk_aversion * order_size / decay
    margin = math.log1p(ratio) / (risk_aversion * order_size)
    power = math.exp((1 / ratio + 1) * math.log1p(ratio))
    slope = volatility * math.sqrt(risk_aversion / (2 * intensity * order_size * decay) * power)
    half = margin + slope * order_size / 2
    return Distances(bid=half + slope * position, ask=half - slope * position)


def exact_distances(
    *,
    orders_held: int,
    time_left: float,
    volatility: float,
    risk_aversion: float,
    intensity: float,
    decay: float,
    order_size: float = 1.0,
    most_orders: int = 30,
) -> Distances:
    """Distances of bid and ask by the matrix exponential; units as the package says.

    ``orders_held`` is n, the position in orders, within +-``most_orders``. At a bound the side that would pass it is
    not quoted: its distance is infinite.

    Raises:
        SettingsError: a parameter is not positive and finite, or ``orders_held`` is beyond ``most_orders``.
    """
    require_positive(
        risk_aversion=risk_aversion, intensity=intensity, decay=decay, order_size=order_size, most_orders=most_orders
    )
    require_positive(orders_held_below_the_most=most_orders + 1 - abs(orders_held))
    ratio = risk_aversion * order_size / decay
    alpha = decay * risk_aversion * volatility**2 * order_size / 2
    eta = intensity * math.exp(-(1 + 1 / ratio) * math.log1p(ratio))
    values = _propagate(alpha, eta, most_orders, time_left)
    margin = math.log1p(ratio) / (risk_aversion * order_size)
    here = orders_held + most_orders

    def distance(there: int) -> float:
        if not 0 <= there < len(values):
            return math.inf
        return (values[here] - values[there]) / decay + margin

    return Distances(bid=distance(here + 1), ask=distance(here - 1))


def _propagate(alpha: float, eta: float, most: int, time: float) -> list[float]:
    """Logarithms of exp(-M time) 1, up to a common constant: Taylor steps, scaled back to 1 after each."""
    numbers = range(-most, most + 1)
    shift = alpha * most**2 / 2  # a constant on the diagonal is a constant factor, and centring halves the norm
    diagonal = [shift - alpha * n * n for n in numbers]
    steps = max(math.ceil((shift + 2 * eta) * time), 1)
    step = time / steps
    vector = [1.0] * len(diagonal)
    for _ in range(steps):
        term, total = vector, vector
        for order in range(1, _TERMS):
            padded = [0.0, *term, 0.0]
            factor = step / order
            term = [factor * (diagonal[i] * term[i] + eta * (padded[i] + padded[i + 2])) for i in range(len(diagonal))]
            total = [a + b for a, b in zip(total, term, strict=True)]
        scale = max(total)
        vector = [value / scale for value in total]
    return [math.log(value) if value > 0 else -math.inf for value in vector]
