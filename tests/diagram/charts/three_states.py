"""Three states with one of everything that a chart can declare, small enough to be drawn by hand."""

from __future__ import annotations

from mm_fsm.chart import Chart, State, calls_services, computing, waiting


class ApprovalMachine(Chart):
    """Drafts, and approves them."""

    chart_fault_event = "crash"

    draft = State("DRAFT", initial=True, enter="price", budget=computing(milliseconds=20), purpose="a & b: <open>")
    failed = State("FAILED", exit="tidy", budget=waiting(milliseconds=300))
    done = State("DONE", final=True)

    approve = draft.to(done, cond="complete", unless="vetoed", on="sign", note="two signatures")
    review = draft.to.itself(internal=True, cond="stale", on="price")
    retry = failed.to(draft, cond="calm")
    crash = failed.from_(draft, command=True) | failed.to.itself(internal=True, command=True)
    cancel = done.from_(draft, failed, command=True, excluded="nobody sends it")

    def complete(self) -> bool:
        """Every field is filled in | checked.

        More is not shown.
        """
        return True

    def vetoed(self) -> bool:
        return False

    def stale(self) -> bool:
        """The price is older than ``limit``."""
        return False

    def calm(self) -> bool:
        return True

    @calls_services("spreads.price_quotes")
    def price(self) -> None: ...

    def sign(self) -> None: ...

    def tidy(self) -> None: ...
