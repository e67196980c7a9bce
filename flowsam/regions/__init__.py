"""Regions of starts under l_inf-SAM and gradient flow, as mathematics, and how likely they are."""

from flowsam.regions.inequalities import Regions, regions
from flowsam.regions.sign_chances import Chances, escape_chance, winning_chances

__all__ = ["Chances", "Regions", "escape_chance", "regions", "winning_chances"]
