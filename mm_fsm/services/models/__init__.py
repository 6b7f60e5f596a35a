"""Quoting models of the literature as pure functions of numbers. Nothing here knows a machine, a venue or a setting.

Throughout: the reference price s in quote per base; sigma in quote per base per square-root second; gamma, the risk
aversion, in 1/quote currency; k, the decay of the takers' intensity with distance, in base per quote; A in trades a
second on one side; q and the order size in base units, q positive when long; times in seconds.
"""
