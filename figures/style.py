"""One style for every figure: two widths, no text below 6.5 pt, fonts that embed."""

import logging
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from fontTools import subset

from figures.cards import ORIGINAL, card
from flowsam.archive import replacing
from flowsam.captions import heading

__all__ = ["ORIGINAL", "card"]

# embedding fonts in PDF remarks on the date of each font file, on stderr
logging.getLogger("fontTools").setLevel(logging.ERROR)
_LAYOUT = ("GDEF", "GPOS", "GSUB")
_load_font = subset.load_font


def _placed_font(*given, **named):
    """Load a font for a PDF, which places each glyph itself, without what lays out text.

    To subset those tables, which no reader of the PDF uses, is most of the time of embedding.
    """
    font = _load_font(*given, **named)
    for table in _LAYOUT:
        if table in font:
            del font[table]
    return font


subset.load_font = _placed_font
OUTPUT = Path(__file__).parent / "output"
COLUMN, PAGE = 3.3, 6.75  # widths of one and two columns, inches
DPI = 200  # of the PNG
SMALL = 6.5  # points: no text is smaller; indices and exponents are 0.7 of their word
plt.rcParams.update(
    {
        "font.size": 8,
        "axes.titlesize": 8,
        "axes.labelsize": 7.5,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "legend.fontsize": 7,
        "mathtext.fontset": "dejavusans",
        "pdf.fonttype": 42,  # TrueType: editable, and what publishers ask for
        "savefig.dpi": DPI,
        "figure.constrained_layout.use": True,
    }
)


def panels(columns=1, *, width=COLUMN, height=2.7, rows=1, widths=None):
    """Return a figure and its axes, an array where there are several."""
    return plt.subplots(rows, columns, figsize=(width, height), width_ratios=widths)


def ranks(count):
    """Return colours for coordinates in the order of |mu_j|: dark is minor, in grey too."""
    return [
        matplotlib.colors.to_hex(c) for c in plt.get_cmap("viridis")(np.linspace(0, 0.95, count))
    ]


def pixels(axes, values, title):
    """Draw 64 values in [-1, 1] as 8 x 8 pixels: orange positive, blue negative, NaN hatched."""
    axes.patch.set(hatch="/////", edgecolor="#B0B0B0")
    axes.imshow(np.reshape(values, (8, 8)), cmap="PuOr_r", vmin=-1, vmax=1)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=7)


def save(name, compute_arrays, draw, **sizes):
    """Compute and draw a figure; write name.npz (the data), name.pdf and name.png."""
    compute(name, compute_arrays, **sizes)
    return redraw(name, draw)


def compute(name, compute_arrays, **sizes):
    """Compute the arrays of a figure and write them to name.npz."""
    OUTPUT.mkdir(exist_ok=True)
    arrays = compute_arrays(**sizes)
    with replacing(OUTPUT / f"{name}.npz") as file:
        np.savez(file, **arrays)


def redraw(name, draw):
    """Draw a figure from its saved arrays and return the PNG's path.

    The files say what they show: title, caption and run card are in their metadata.
    """
    arrays = load(name)
    run = str(arrays.pop("card", ""))
    title, _, caption = heading(sys.modules[draw.__module__].__doc__ or name)
    figure = draw(**arrays)
    figure.set_dpi(DPI)
    scaled = any(a.get_aspect() != "auto" or a.get_label() == "<colorbar>" for a in figure.axes)
    for _ in range(2 if scaled else 1):  # panels of equal scales, and colour bars, take two rounds
        figure.get_layout_engine().execute(figure)
    said = {
        "pdf": {"Title": title, "Subject": caption, "Keywords": run, "CreationDate": None},
        "png": {"Title": title, "Description": caption, "Source": run, "Software": None},
    }
    # neither file is laid out, nor drawn to be, again; the first would else set a layout for both
    with plt.rc_context({"figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)
        for kind, metadata in said.items():
            with replacing(OUTPUT / f"{name}.{kind}") as file:
                figure.savefig(file, format=kind, metadata=metadata)
    plt.close(figure)
    return OUTPUT / f"{name}.png"


def point_at(axes, places):
    """Write words beside what they name: word to (point, place of the word)."""
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
    for word, (point, place) in places.items():
        arrow = {"arrowstyle": "-", "linewidth": 0.5, "shrinkB": 3}
        axes.annotate(word, point, place, arrowprops=arrow, bbox=box, zorder=4, fontsize=7)


def load(name):
    """Return the arrays of a saved figure, to redraw it without computing."""
    with np.load(OUTPUT / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}
