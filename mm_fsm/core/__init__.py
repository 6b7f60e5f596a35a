"""Values: clock, messages, instrument, settings, decisions. No I/O, no clock, no random number."""
