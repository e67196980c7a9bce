"""Regions of balanced starts under l_inf-SAM and gradient flow, as mathematics."""

from flowsam.regions.inequalities import Regions, regions

__all__ = ["Regions", "regions"]
