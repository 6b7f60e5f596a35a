"""Streaming estimators: one pass, constant memory, exact about irregular times. Each says when it is warm.

Times are integer nanoseconds and prices positive floats, quote per base. Every estimator forgets exponentially: what is
``tau = half_life / ln 2`` seconds old counts 1/e. ``snapshot()`` lists all that later estimates depend on, for digests.
"""
