"""State dicts of other programs, turned into those of this package's networks."""
