"""The operations in plain NumPy or torch: the specification that tests and benchmarks compare with."""
