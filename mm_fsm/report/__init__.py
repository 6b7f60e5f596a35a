"""What a session came to: figures from its machine, as JSON, as tables for people, as files."""
