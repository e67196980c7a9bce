"""Planes of initialisations and the limit of each: from start to picture of a phase portrait."""

from flowsam.portrait.labelled_plane import Portrait, load
from flowsam.portrait.labelling import phase_portrait, resume
from flowsam.portrait.plane_fields import PlaneField
from flowsam.portrait.planes import (
    BalancedPlane,
    ImbalancePlane,
    RadiusPlane,
    SegmentPlane,
    WeightPlane,
    layer_plane,
)
from flowsam.portrait.refinement import Refinement, Tiling
from flowsam.portrait.refining import refine
from flowsam.portrait.rest_search import Equilibrium, equilibria
from flowsam.portrait.skeletons import Skeleton, paths, skeleton
from flowsam.portrait.streaming import Stream, stream_portrait

__all__ = [
    "BalancedPlane",
    "Equilibrium",
    "ImbalancePlane",
    "PlaneField",
    "Portrait",
    "RadiusPlane",
    "Refinement",
    "SegmentPlane",
    "Skeleton",
    "Stream",
    "Tiling",
    "WeightPlane",
    "equilibria",
    "layer_plane",
    "load",
    "paths",
    "phase_portrait",
    "refine",
    "resume",
    "skeleton",
    "stream_portrait",
]
