"""Errors, units and rounding: nothing here knows about networks."""
