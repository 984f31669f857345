"""Options of `ptfast train`: a file for each network."""
