"""The declared machine: its chart, how facts are booked, how one step runs, and what a session's result is."""
