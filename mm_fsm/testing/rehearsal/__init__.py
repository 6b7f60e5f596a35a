"""A rehearsal exchange: Binance spot on loopback, for one account, with faults on order and a log that judges."""
