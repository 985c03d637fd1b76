"""Comparing agents on worlds: cells, their results on disk, and statistics of them."""
