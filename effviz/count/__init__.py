"""Counts of a network: parameters, multiply-adds, memory; names and colors of layer kinds."""
