"""The table ``[metrics]``: what others may read of a run while it trades. Off unless it is written."""

from __future__ import annotations

from attrs import field, frozen, validators

from mm_fsm.core.validation import whole_number, yes_or_no


@frozen(kw_only=True)
class MetricsSettings:
    """Figures for Prometheus. One set for all markets of a run.

    Raises:
        SettingsError: a value is out of its range.
    """

    enabled: bool = field(default=False, validator=yes_or_no)
    """Whether the figures are written, ``metrics.prom`` in the run's directory, and answers of guards counted."""
    port: int | None = field(default=None, validator=validators.optional(whole_number(at_least=1, at_most=65_535)))
    """Port on 127.0.0.1 on which the run itself serves them at ``/metrics``; None: it listens nowhere."""

    @property
    def is_on(self) -> bool:
        """Whether anybody wants figures."""
        return self.enabled or self.port is not None
