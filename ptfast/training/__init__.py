"""Training of networks: a loop, its data, and a folder for each network."""
