"""Located boundaries against curves known by formula, areas against exact ones, and the cost."""

import numpy as np
import pytest

from flowsam import Flow, balanced, l2, layer_plane, limits, linf, phase_portrait, single_example
from flowsam.portrait import load, refine
from flowsam.portrait.boundary_ledger import joined

ONE, TWO = (Flow(single_example(mu), linf(1)) for mu in ([1.0], [1.0, 2.0]))


def disc(radius, centre):
    """A plane whose starts escape exactly inside a disc."""

    def start(x, y):
        inside = radius**2 - (x - centre[0]) ** 2 - (y - centre[1]) ** 2
        return balanced(1 + 0.2 * inside[..., None], 2)

    return start


def grid(n=9, reach=1.0):
    """An axis from -reach to reach."""
    return np.linspace(-reach, reach, n)


def ends_of(curves):
    """First and last points of all open curves."""
    return np.array([p for _, c in curves for p in (c[0], c[-1]) if (c[0] != c[-1]).any()])


@pytest.mark.parametrize(
    ("radius", "centre"), [(0.16, (0.0, 0.0)), (0.5, (0.13, -0.041)), (0.73, (0.111, 0.2))]
)
def test_a_circle(radius, centre):
    plane = phase_portrait(ONE, grid(), grid(), start=disc(radius, centre))
    found = refine(plane).refinement
    [(name, curve)] = found.curves
    cell = plane.x[1] - plane.x[0]
    off = np.abs(np.hypot(*(curve - centre).T) - radius)
    middle = (curve[1:] + curve[:-1]) / 2
    sag = np.abs(np.hypot(*(middle - centre).T) - radius)
    assert name == "zero | e_1" and (curve[0] == curve[-1]).all()
    assert max(off.max(), sag.max()) <= cell * found.tolerance < cell / 1000
    area = np.pi * radius**2 / 4
    assert abs(found.fractions[1] - area) <= found.errors[1] < 5e-3 * area
    assert abs(sum(found.fractions.values()) - 1) < 1e-12


def test_a_bump_is_followed_into_cells_whose_corners_agree():
    """It enters two cells from below, between their corners, which lie on one side of it."""

    def start(x, y):
        height = 0.5 + 2.2 * np.exp(-8 * (x - 2.5) ** 2)
        return balanced(np.exp(y - height)[..., None], 2)

    axis = np.arange(6.0)
    plane = phase_portrait(ONE, axis, axis, start=start)
    assert (plane.labels[1:] == 1).all() and (plane.labels[0] == 0).all()
    found = refine(plane, levels=6).refinement
    [(_, curve)] = found.curves
    assert abs(curve[:, 1].max() - 2.7) < 2**-5
    area = (2.5 + 2.2 * np.sqrt(np.pi / 8)) / 25
    assert abs(found.fractions[0] - area) <= found.errors[0] < 0.01


def test_fewer_levels_are_coarser():
    plane = phase_portrait(ONE, grid(), grid(), start=disc(0.73, (0.13, -0.041)))
    [(_, curve)] = refine(plane, levels=2).refinement.curves
    off = np.abs(np.hypot(*(curve - (0.13, -0.041)).T) - 0.73)
    assert off.max() > 2**-10 * (plane.x[1] - plane.x[0])


def test_the_cost_grows_with_the_length_of_the_boundary():
    counts = []
    for n in (11, 21, 41):
        plane = phase_portrait(ONE, grid(n), grid(n), start=disc(0.73, (0.13, -0.041)))
        found = refine(plane).refinement
        counts.append(found.evaluations)
        assert 2 * 2**20 * (n - 1) ** 2 > 1e4 * found.evaluations  # points of the fine lattice
    assert counts[1] < 2.2 * counts[0] and counts[2] < 2.2 * counts[1]


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_balanced_planes_have_their_theorem(depth):
    x = np.linspace(0.07, 2.02, 14)
    plane = refine(phase_portrait(TWO, x, x, depth=depth))
    found, tolerance = plane.refinement, plane.refinement.tolerance * (x[1] - x[0])
    for name, curve in found.curves:
        a, b = curve.T
        if "e_2" not in name:
            off = np.abs(a - 1)
        elif "e_1" not in name:
            off = np.abs(b - 1)
        elif depth == 2:
            off = np.abs(b - 1)
        else:
            off = np.abs(b - 1 - 0.5 ** (1 / (depth - 2)) * (a - 1))
        assert off.max() <= 2 * tolerance, name
    assert len(found.curves) == 3
    for label, share in plane.fractions.items():  # exact here
        assert abs(found.fractions[label] - share) <= found.errors[label] < 1e-3


def test_curves_end_on_the_rim_or_where_regions_meet():
    x = np.linspace(0.07, 2.02, 14)
    curves = refine(phase_portrait(TWO, x, x, depth=3)).refinement.curves
    ends = ends_of(curves)
    rim = (ends == x[0]).any(axis=1) | (ends == x[-1]).any(axis=1)
    assert rim.sum() == 3 and np.ptp(ends[~rim], axis=0).max() == 0
    assert np.abs(ends[~rim] - 1).max() < 2e-3 * (x[1] - x[0])


@pytest.mark.parametrize("flow", [ONE, Flow(single_example([1.0]), l2(1))])
def test_theory_lies_on_located_separatrices(flow):
    axis = grid(16, 3.0)
    found = refine(phase_portrait(flow, axis, axis, start=layer_plane))
    theory, located = found.boundaries[:2], found.boundaries[2:]
    assert located == found.refinement.curves and len(located) == 2
    points = np.concatenate([curve for _, curve in theory])
    points = points[(np.abs(points) < 3).all(axis=1)]
    ends = np.concatenate([np.stack([c[:-1], c[1:]], axis=1) for _, c in located])
    along = ends[:, 1] - ends[:, 0]
    share = np.einsum("psk,sk->ps", points[:, None] - ends[:, 0], along) / (along**2).sum(axis=1)
    foot = ends[:, 0] + np.clip(share, 0, 1)[..., None] * along
    distance = np.hypot(*np.moveaxis(points[:, None] - foot, -1, 0)).min(axis=1)
    assert distance.max() < 1.5 * found.refinement.tolerance * (axis[1] - axis[0])


def test_uneven_axes():
    x, y = np.geomspace(0.1, 2.0, 12), np.geomspace(0.2, 3.0, 9)
    plane = refine(phase_portrait(TWO, x, y))
    assert {k: round(v, 3) for k, v in plane.refinement.fractions.items()} == {
        k: round(v, 3) for k, v in plane.fractions.items()
    }


def test_a_refined_portrait_survives_the_disk(tmp_path):
    plane = refine(phase_portrait(ONE, grid(), grid(), start=layer_plane))
    again = load(plane.save(tmp_path / "plane.npz"))
    assert again.fractions == plane.refinement.fractions
    assert again.refinement.evaluations == plane.refinement.evaluations
    for name, kept in vars(plane.refinement.tiling).items():
        assert np.array_equal(kept, getattr(again.refinement.tiling, name))
    for (name, curve), (other, same) in zip(
        again.refinement.curves, plane.refinement.curves, strict=True
    ):
        assert name == other and np.array_equal(curve, same)
    coarse = phase_portrait(ONE, grid(), grid(), start=layer_plane)
    assert load(coarse.save(tmp_path / "coarse.npz")).refinement is None


def test_progress_counts_every_label():
    told = []
    plane = phase_portrait(ONE, grid(), grid(), start=disc(0.5, (0, 0)))
    assert refine(plane, progress=told.append).refinement.evaluations == sum(told)


@pytest.mark.parametrize(
    ("axis", "levels", "words"),
    [
        (grid()[::-1], 10, "x to increase"),
        (grid(1), 10, "two points of x or more, got 1; take"),
        (grid(), 0, "1 <= levels"),
        (grid(), 17, "got 17"),
    ],
)
def test_what_cannot_be_refined_is_said(axis, levels, words):
    plane = phase_portrait(ONE, axis, grid(), start=layer_plane)
    with pytest.raises(ValueError, match=words):
        refine(plane, levels=levels)


def owner(tiling, point, cells):
    """The label of the last tile that holds a point; None where no tile does."""
    x, y = np.moveaxis(tiling.corners - point, -1, 0)
    turn = x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y
    holds = (turn >= -1e-15 * cells).all(axis=1)
    return int(tiling.labels[holds][-1]) if holds.any() else None


@pytest.mark.parametrize(
    ("flow", "depth"),
    [(Flow(single_example([1.0, 1.0]), linf(1)), 2), (TWO, 3), (Flow(TWO.data, l2(1)), 2)],
)
def test_tiles_fill_the_mixed_cells_with_the_right_labels(flow, depth):
    x = np.linspace(0.07, 2.02, 14)
    plane = refine(phase_portrait(flow, x, x, depth=depth), levels=6)
    tiling, cell = plane.refinement.tiling, x[1] - x[0]
    points = np.random.default_rng(4).uniform(x[0], x[-1], (900, 2))
    column, row = (np.searchsorted(x, p) - 1 for p in points.T)
    corners = np.array([tiling.grid[row + i, column + j] for i in (0, 1) for j in (0, 1)])
    mixed = (corners != corners[0]).any(axis=0)
    line = np.concatenate([dense(curve) for _, curve in plane.refinement.curves])
    clear = np.array([np.hypot(*(line - p).T).min() for p in points]) > cell / 32
    truth = limits(flow, balanced(points, depth))
    assert np.array_equal(corners[0][~mixed], truth[~mixed])
    seen = np.flatnonzero(mixed & clear)
    assert seen.size > 30 and len(np.unique(truth[seen])) > 1
    assert all(owner(tiling, points[k], cell) == truth[k] for k in seen)


def dense(curve):
    """Points along a polyline, two hundred on each piece."""
    share = np.linspace(0, 1, 200)[:, None, None]
    return (curve[:-1] + share * np.diff(curve, axis=0)).reshape(-1, 2)


def test_a_tie_through_lattice_points_is_one_straight_line():
    flow, x = Flow(single_example([1.0, 1.0]), linf(0.5)), np.linspace(0.6, 2.0, 15)
    plane = refine(phase_portrait(flow, x, x, depth=3))
    [(name, line)] = plane.refinement.curves
    assert name == "e_1 | e_2" and len(line) == 2
    assert np.abs(line[:, 0] - line[:, 1]).max() < plane.refinement.tolerance * (x[1] - x[0])


def test_a_portrait_from_a_file_cannot_be_refined(tmp_path):
    plane = load(phase_portrait(ONE, grid(), grid(), start=layer_plane).save(tmp_path / "p.npz"))
    with pytest.raises(ValueError, match="run phase_portrait again"):
        refine(plane)


def test_segments_join_into_lines():
    square = [((0.0, 0.0), (1.0, 0.0)), ((1.0, 1.0), (1.0, 0.0)), ((1.0, 1.0), (0.0, 0.0))]
    assert joined(square)[0].tolist()[0] == joined(square)[0].tolist()[-1]
    spokes = [((0.0, 0.0), (float(k), 1.0)) for k in range(3)]
    assert [len(line) for line in joined(spokes)] == [2, 2, 2]
