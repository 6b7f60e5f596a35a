"""What the report of a run is made of, gathered step by step, while it runs or from its journal. Memory is bounded."""
