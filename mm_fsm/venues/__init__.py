"""Where orders go and markets come from: the paper exchange, a market simulator, recordings, and live exchanges."""
