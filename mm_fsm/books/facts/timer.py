"""Time alone."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from mm_fsm.core.messages import Fact


@frozen(kw_only=True)
class Timer(Fact):
    """Time has passed; sent by the host at or after ``StepResult.wake_at``."""

    streams: ClassVar[bool] = True
