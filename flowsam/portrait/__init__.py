"""Planes of initialisations and the limit of each: from start to picture of a phase portrait."""

from flowsam.portrait.labelled_plane import Portrait, Refinement, load
from flowsam.portrait.maps import layer_plane, phase_portrait
from flowsam.portrait.refinement import refine

__all__ = ["Portrait", "Refinement", "layer_plane", "load", "phase_portrait", "refine"]
