"""The shortest paths that meet a criterion, and events where they are not accepted, as tests."""
