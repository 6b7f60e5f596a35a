"""Avellaneda and Stoikov (2008), "High-frequency trading in a limit order book", equations 29 and 30.

For orders of one unit: reservation price s - q gamma sigma^2 (T - t), total spread
gamma sigma^2 (T - t) + (2 / gamma) ln(1 + gamma / k). With an order size D, gamma is taken per order, which gives
(2 / (gamma D)) ln(1 + gamma D / k) and gamma sigma^2 D (T - t); D = 1 is the paper's case.
"""

from __future__ import annotations

import math

from mm_fsm.services.models.distances import Distances, require_positive


def distances(
    *, position: float, volatility: float, time_left: float, risk_aversion: float, decay: float, order_size: float = 1.0
) -> Distances:
    """Distances of bid and ask from the reference price; units as the package says.

    Raises:
        SettingsError: risk aversion, decay or order size is not positive and finite.
    """
    require_positive(risk_aversion=risk_aversion, decay=decay, order_size=order_size)
    risk = risk_aversion * volatility**2 * time_left
    margin = math.log1p(risk_aversion * order_size / decay) / (risk_aversion * order_size)
    half = margin + risk * order_size / 2
    return Distances(bid=half + risk * position, ask=half - risk * position)


def symmetric_distances(
    *, volatility: float, session: float, risk_aversion: float, decay: float, order_size: float = 1.0
) -> Distances:
    """The paper's benchmark: the same spread averaged over the whole session, always around the reference price.

    Raises:
        SettingsError: risk aversion, decay or order size is not positive and finite.
    """
    return distances(
        position=0.0,
        volatility=volatility,
        time_left=session / 2,
        risk_aversion=risk_aversion,
        decay=decay,
        order_size=order_size,
    )
