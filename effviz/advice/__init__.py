"""Advice on a design: scaling rules, budgets, lint."""
