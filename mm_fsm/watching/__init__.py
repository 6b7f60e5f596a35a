"""What others learn of a run while it trades: figures for Prometheus, and alerts to people."""
