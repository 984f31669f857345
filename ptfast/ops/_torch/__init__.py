"""The torch side of the operations, imported when the first tensor comes."""
