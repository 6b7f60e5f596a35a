"""Whatever can raise, raising, as tests."""
