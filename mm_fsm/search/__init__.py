"""Search for settings on recorded markets, judged where they were not chosen.

- ``trading``: one configuration on one stretch of a market: profit over time, orders, fills.
- ``walk_forward``: periods, chosen settings, and what they earned in the period after.
- ``calibration``: what the models need, fitted to a recording, with intervals.
- ``space``: which settings are searched, and between what.
- ``tuning``: Optuna over chosen settings, in processes of this machine or on a Ray cluster.
"""
