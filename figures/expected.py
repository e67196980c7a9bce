"""What each figure computes in fast mode, kept in figures/expected to be compared with.

    python -m figures.expected [NAME...]

keeps the arrays of these figures, or of all; look at the picture before you commit them. Arrays
that a figure names in UNREPEATED (times, counts of calls; "*" is all) depend on the machine and
are left out. Of long arrays every so many rows are kept: the files stay at a few kB.
"""

import importlib
import sys
from pathlib import Path

import numpy as np

FOLDER, ROWS = Path(__file__).parent / "expected", 100


def arrays(name):
    """Compute a figure with its FAST sizes; return what every machine repeats, thinned."""
    module = importlib.import_module(f"figures.{name}")
    left_out = getattr(module, "UNREPEATED", ())
    if "*" in left_out:
        return {}
    found = {key: np.asarray(value) for key, value in module.compute(**module.FAST).items()}
    return {
        key: value[:: 1 + len(value) // ROWS] if value.ndim else value
        for key, value in found.items()
        if key not in {"card", "caption", *left_out}
    }


def kept(name):
    """Return the arrays kept for a figure."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    names = sys.argv[1:] or sorted(path.stem for path in FOLDER.parent.glob("fig_*.py"))
    for name in names:
        np.savez_compressed(FOLDER / f"{name}.npz", **arrays(name))
