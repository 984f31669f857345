"""Training: data, losses, loops and validation; an entry for each model."""
