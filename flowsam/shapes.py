"""Names of arrays' types and shapes in annotations: jaxtyping's, where somebody checks them.

Checking loads jaxtyping first; a run that checks nothing does not wait for it (a third of the
time of a first answer), and the names mean any object.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

__all__ = [
    "Bool",
    "Complex",
    "Float",
    "Float32",
    "Inexact",
    "Int",
    "Int8",
    "Shaped",
]

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Complex, Float, Float32, Inexact, Int, Int8, Shaped
else:

    class _Unchecked:
        """An array of any type and shape."""

        def __class_getitem__(cls, shape: object) -> Any:
            return Any

    Bool = Complex = Float = Float32 = Inexact = Int = Int8 = Shaped = _Unchecked
