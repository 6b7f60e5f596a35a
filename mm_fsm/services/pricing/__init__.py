"""Spread services beside the default, one to a file: each prices the innermost quotes, the rest is shared.

``mm_fsm.services.registry`` names them; ``mm_fsm.services.spreads`` holds what they share: holds, staleness, clamps,
levels, rounding, funds. Their formulas are pure functions in ``mm_fsm.services.models``.
"""
