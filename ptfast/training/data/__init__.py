"""Examples that networks learn from, by number."""
