"""Pictures of results: an Axes in, artists out; nothing is solved, no rcParams are touched.

Colours are from the Okabe-Ito palette, safe for colour-blind readers; a limit and a rule have one
colour each wherever they appear, and regions are named in place, so that grey prints read too.
"""

from flowsam.draw.fields import arrows, rest_points, skeleton, trajectories
from flowsam.draw.limits import (
    LIMIT_COLOURS,
    boundaries,
    name_of,
    portrait,
    regions,
    tiles,
    times,
)
from flowsam.draw.runs import RULE_STYLES, leaders, leanings, paths, pixels, run

__all__ = [
    "LIMIT_COLOURS",
    "RULE_STYLES",
    "boundaries",
    "leaders",
    "leanings",
    "name_of",
    "paths",
    "pixels",
    "portrait",
    "regions",
    "rest_points",
    "run",
    "skeleton",
    "tiles",
    "times",
    "trajectories",
    "arrows",
]
