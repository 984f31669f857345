"""The NumPy side of the operations: contiguous arrays, their addresses and the native call."""
