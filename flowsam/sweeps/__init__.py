"""Sweeps: one case over axes of parameters, chunk by chunk, into a store that survives."""

from flowsam.sweeps.conduct import sweep
from flowsam.sweeps.planning import Plan, plan
from flowsam.sweeps.problem import read_sweep
from flowsam.sweeps.work import Progress

__all__ = ["Plan", "Progress", "plan", "read_sweep", "sweep"]
