"""Small pure services: context in, value out. Protocols, the default implementations, and how others are found."""
