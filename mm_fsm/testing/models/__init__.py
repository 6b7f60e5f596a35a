"""Random moves held against the definition and invariants, as tests."""
