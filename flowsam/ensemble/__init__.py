"""Thousands of starts at once, each with its own step."""

from flowsam.ensemble.members import Ending, Ensemble, solve_many

__all__ = ["Ending", "Ensemble", "solve_many"]
