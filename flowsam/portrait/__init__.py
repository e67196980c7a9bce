"""Planes of initialisations and the limit of each: from start to picture of a phase portrait."""

from flowsam.portrait.maps import Portrait, layer_plane, load, phase_portrait

__all__ = ["Portrait", "layer_plane", "load", "phase_portrait"]
