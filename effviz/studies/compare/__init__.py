"""Comparison of networks: their counts side by side, aligned stages, and the origin of a difference."""
