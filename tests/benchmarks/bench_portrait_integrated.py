"""Portraits by integration: 400 x 400 cells in seconds, and the same boundary by refinement.

OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_portrait_integrated
"""

import time

import numpy as np
from scipy.spatial import cKDTree

from flowsam import Flow, Label, l2, lp, phase_portrait, refine, single_example
from flowsam.portrait.planes import ImbalancePlane, WeightPlane

CELLS, COARSE = 400, 40
CASES = {
    "l_2, L = 3, scale and imbalance": (l2(1.0), ImbalancePlane([1.0, 0.8], 3), (0.02, 1.0)),
    "l_2, L = 3, two weights": (
        l2(1.0),
        WeightPlane([[0.9, 0.5], [0.7, 0.8], [1.1, 0.6]], (0, 0), (1, 1)),
        (0.05, 2.0),
    ),
    "l_1.5, L = 2, scale and imbalance": (
        lp(1.0, p=1.5),
        ImbalancePlane([1.0, 0.8], 2),
        (0.02, 1.0),
    ),
    "l_1, L = 2, two weights": (
        lp(1.0, p=1),
        WeightPlane([[0.4, 0.5], [0.3, 0.2]], (0, 0), (1, 1)),
        (0.05, 2.0),
    ),
    "l_1.5, L = 2, two weights": (
        lp(1.0, p=1.5),
        WeightPlane([[0.4, 0.5], [0.3, 0.2]], (0, 0), (1, 1)),
        (0.05, 2.0),
    ),
}


def spent(function, *args, **options):
    """Return processor seconds, wall seconds and the result of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = function(*args, **options)
    return time.process_time() - cpu, time.perf_counter() - wall, result


def edges(plane):
    """Return midpoints of neighbouring grid points with different labels, in fine cells."""
    found = []
    for axis in (0, 1):
        rows, columns = np.nonzero(np.diff(plane.labels, axis=axis))
        half = 0.5 * np.array([axis == 1, axis == 0])
        found.append(np.stack([columns, rows], axis=1) + half)
    return np.concatenate(found)


def dense(curves, plane):
    """Return points along curves, a tenth of a fine cell apart, in fine cells."""
    points, axes = [], (plane.x, plane.y)
    for _, curve in curves:
        places = [np.interp(c, a, np.arange(a.size)) for c, a in zip(curve.T, axes, strict=True)]
        places = np.stack(places, axis=1)
        along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
        steps = np.linspace(0, along[-1], 2 + int(10 * along[-1]))
        points.append(np.stack([np.interp(steps, along, c) for c in places.T], axis=1))
    return np.concatenate(points)


def case(name, rule, start, y_ends):
    """Print the cost of the full grid and of a refined coarse one, and how far they differ."""
    flow = Flow(single_example([1.0, 2.0]), rule)
    fine = [np.linspace(*ends, CELLS) for ends in ((0.05, 2.0), y_ends)]
    coarse = [np.linspace(*ends, COARSE) for ends in ((0.05, 2.0), y_ends)]
    cpu, wall, plane = spent(phase_portrait, flow, *fine, start=start)
    open_ = (plane.labels == Label.UNDECIDED).sum()
    print(f"{name}: {CELLS} x {CELLS} in {cpu:.1f} s of processor, {wall:.1f} s; {open_} undecided")
    for levels in (4, 10):
        first, _, grid = spent(phase_portrait, flow, *coarse, start=start)
        more, _, found = spent(refine, grid, levels=levels)
        labels = grid.labels.size + found.refinement.evaluations
        there, here = edges(plane), dense(found.refinement.curves, plane)
        off = [cKDTree(a).query(b)[0].max() for a, b in ((here, there), (there, here))]
        print(
            f"  refined by 2^-{levels}: {labels} labels ({plane.labels.size / labels:.0f} times "
            f"fewer), {first + more:.2f} s ({cpu / (first + more):.1f} times less); boundaries at "
            f"most {max(off):.2f} cells of {CELLS} apart"
        )


def main():
    """Print all cases."""
    axis = np.linspace(0.1, 1.0, 3)
    phase_portrait(Flow(single_example([1.0, 2.0]), l2(1.0)), axis, axis, depth=3)  # warm up
    for name, (rule, start, y_ends) in CASES.items():
        case(name, rule, start, y_ends)


if __name__ == "__main__":
    main()
