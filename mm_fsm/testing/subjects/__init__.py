"""What faults and random moves are tried on: how it is made, how it gets anywhere, what a market maker is told."""
