"""Comparing agents on worlds: cells, their results on disk, statistics and findings."""
