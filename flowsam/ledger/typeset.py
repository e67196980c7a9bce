"""Formulas as pictures, with neither LaTeX nor network: Matplotlib's own mathematics."""

from __future__ import annotations

import base64
import io
from html import escape

__all__ = ["formula"]


def formula(latex: str, *, size: float = 13.0) -> str:
    r"""Return an HTML image of a formula.

    Parameters
    ----------
    latex : str
        Without dollar signs, in the part of LaTeX that mathtext knows.
    size : float
        Font size in points.

    Returns
    -------
    str
        An `img` element with the picture inside it; the LaTeX is its alternative text.

    Raises
    ------
    ValueError
        For LaTeX that mathtext does not know.

    Examples
    --------
    >>> formula(r"\rho")[:26]
    '<img class="formula" src="'
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import math_to_image

    picture = io.BytesIO()
    words = FontProperties(size=size, math_fontfamily="cm")
    math_to_image(f"${latex}$", picture, prop=words, format="svg")
    code = base64.b64encode(picture.getvalue()).decode()
    return f'<img class="formula" src="data:image/svg+xml;base64,{code}" alt="{escape(latex)}">'
