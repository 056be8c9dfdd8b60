"""Diagrams of networks as DOT text."""
