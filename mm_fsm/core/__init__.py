"""Values and books: messages, instrument, settings, orders, ledger. No I/O, no clock, no random number."""
