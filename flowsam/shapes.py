"""Names of arrays' types and shapes in annotations: jaxtyping's, where somebody checks them.

Checking loads jaxtyping first; a run that checks nothing does not wait for it (a third of the
time of a first answer), and the names mean any object.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Complex, Float, Float32, Inexact, Int, Int8, Shaped
else:

    class _Unchecked:
        """An array of any type and shape."""

        def __class_getitem__(cls, shape: object) -> Any:
            return Any

    Bool = Complex = Float = Float32 = Inexact = Int = Int8 = Shaped = _Unchecked

# What most arrays are: weights of one start or of many; a number, code or mark each.
Theta = Float[np.ndarray, "L d"]
Starts = Float[np.ndarray, "N L d"]
Thetas = Float[np.ndarray, "*batch L d"]
Vector = Float[np.ndarray, " d"]
Vectors = Float[np.ndarray, "*batch d"]
Column = Float[np.ndarray, " N"]
Numbers = Float[np.ndarray, "*batch"]
Codes = Int[np.ndarray, " N"]
Labels = Int[np.ndarray, "*batch"]
Mask = Bool[np.ndarray, " d"]
Masks = Bool[np.ndarray, "*batch d"]
Chosen = Bool[np.ndarray, " N"]
Which = Bool[np.ndarray, "*batch"]
Weights = Float[np.ndarray, "L d N"]  # where the batch comes last
Stack = Float[np.ndarray, "L d *batch"]  # or none, of one state
Examples = Float[np.ndarray, "n d"]
PerExample = Float[np.ndarray, " n"]  # a number an example, or a point
Times = Float[np.ndarray, " T"]
Points = Float[np.ndarray, " _"]  # of a clock
Pair = Float[np.ndarray, "2 d"]  # two layers
Pairs = Float[np.ndarray, "N 2 d"]
Marks = Bool[np.ndarray, "L d"]
Flags = Bool[np.ndarray, "d N"]

# Of steps: flat states, their Jacobian, and what stays positive between events.
State = Float[np.ndarray, " m"]
Jacobian = Float[np.ndarray, "m m"]
Signals = Float[np.ndarray, " K"]

# On planes: values of a parameter, labels of a grid, points, and lines with their names.
Axis = Float[np.ndarray, " _"]
LabelGrid = Int[np.ndarray, "ny nx"]
Point = Float[np.ndarray, "2"]
Curve = Float[np.ndarray, "_ 2"]
Curves = tuple[tuple[str, Curve], ...]
