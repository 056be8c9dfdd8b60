"""Lessons: steps with locked predictions, whose answers the engine computes; worksheets; rooms of a class."""
