"""Lessons: small exact computations, each of which answers one question about efficient networks."""
