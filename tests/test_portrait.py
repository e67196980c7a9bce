"""Portraits: labels against the theorem in whole numbers, planes, shares, times, interrupts."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from flowsam import (
    Data,
    Flow,
    Label,
    balanced,
    draw,
    gradient_flow,
    l2,
    layer_plane,
    limits,
    linf,
    lp,
    phase_portrait,
    refine,
    single_example,
    unnormalised,
)
from flowsam.exact import linf_deep
from flowsam.portrait import Portrait, area_shares, load, resume, stream_portrait
from flowsam.portrait.own_plane import as_plane
from flowsam.portrait.plane_rows import labels_at
from flowsam.portrait.planes import (
    BalancedPlane,
    ImbalancePlane,
    RadiusPlane,
    SegmentPlane,
    WeightPlane,
)

TWO = Flow(single_example([1.0, 2.0]), linf(1.0))
START = [[0.9, 0.5], [0.7, 0.8], [1.1, 0.6]]
PLANES = {
    "balanced": BalancedPlane(3),
    "two weights": WeightPlane(START, (0, 0), (2, 1)),
    "imbalance": ImbalancePlane([1.0, 0.8], 3),
    "segment": SegmentPlane(START, np.array(START) * [[1.0, 0.3]]),
    "radius": RadiusPlane(START),
    "a function": lambda x, y: balanced(np.stack(np.broadcast_arrays(x * y, x), axis=-1), 3),
}


def theorem(mu, above, depth):
    """Labels of balanced starts with alpha_j - rho a whole number of some unit, in integers."""
    up = above > 0
    score = np.where(up, mu * above ** (depth - 2), 0)
    best = score.max(axis=-1, keepdims=True)
    count = ((score == best) & up).sum(axis=-1)
    found = np.where(count > 1, int(Label.TIE), score.argmax(axis=-1) + 1)
    at_gate = (above == 0).any(axis=-1) & (depth % 2 == 0)
    none = np.where(at_gate, int(Label.SEPARATRIX), int(Label.STALLED if depth % 2 else Label.ZERO))
    return np.where(count == 0, none, found)


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_a_million_labels_are_the_theorem(depth):
    steps, rho = np.arange(1, 1002), 256  # in units of 1/512: sums and differences are exact
    mu = np.array([1, 2 ** max(depth - 2, 1)])  # equal scores on the line m_1 = 2 m_2
    plane = phase_portrait(
        Flow(single_example(mu), linf(rho / 512)), steps / 512, steps / 512, depth=depth
    )
    above = np.stack(np.meshgrid(steps - rho, steps - rho), axis=-1)
    expected = theorem(mu, above, depth)
    assert np.array_equal(plane.labels, expected)
    assert (plane.labels == Label.SEPARATRIX).any() == (depth % 2 == 0)
    assert depth == 2 or (plane.labels == Label.TIE).sum() == 372


def test_the_theorem_of_this_file_can_be_missed():
    steps = np.arange(1, 101)
    plane = phase_portrait(TWO, steps / 64, steps / 64, depth=3)
    above = np.stack(np.meshgrid(steps - 64, steps - 64), axis=-1)
    assert not np.array_equal(plane.labels, theorem(np.array([2, 1]), above, 3))
    assert not np.array_equal(plane.labels, theorem(np.array([1, 2]), above + 1, 3))


@pytest.mark.parametrize(
    ("name", "rule"),
    [(name, linf(0.8)) for name in PLANES]
    + [("balanced", gradient_flow()), ("radius", l2(0.8)), ("a function", lp(0.8, p=1.5))],
)
def test_every_plane_is_its_starts(name, rule):
    flow, start = Flow(single_example([1.0, 2.0]), rule), PLANES[name]
    x, y = np.linspace(0.2, 1.7, 6), np.linspace(0.15, 1.1, 4)
    plane = phase_portrait(flow, x, y, start=start)
    rows = start(x[None], y[:, None])
    for row, value, labels in zip(rows, y, plane.labels, strict=True):
        here = start.flow_at(flow, float(value)) if name == "radius" else flow
        assert np.array_equal(labels, limits(here, row))
    columns, lines = np.meshgrid(x, y)
    scattered = labels_at(flow, as_plane(start), columns.ravel(), lines.ravel())
    assert np.array_equal(scattered.reshape(plane.labels.shape), plane.labels)


def test_only_the_ratio_to_the_radius_counts():
    x, y = np.linspace(0.1, 3.0, 9), np.linspace(0.5, 2.0, 4)
    plane = phase_portrait(TWO, x, y, start=RadiusPlane(START))
    for rho, labels in zip(y, plane.labels, strict=True):
        flow = Flow(TWO.data, linf(rho))
        assert np.array_equal(labels, limits(flow, x[:, None, None] * np.array(START)))


@pytest.mark.parametrize(
    "rule", [l2(1.0), lp(1.0, p=1.5), lp(1.0, p=3), unnormalised(1.0)], ids=lambda rule: rule.name
)
def test_integrated_labels_hardly_miss(rule):
    x = np.linspace(0.05, 2.0, 12)
    for depth in (2, 3):
        plane = phase_portrait(Flow(single_example([1.0, 2.0]), rule), x, x, depth=depth)
        assert (plane.labels >= 0).mean() > 0.99


@pytest.mark.parametrize("n", [7, 61])
@pytest.mark.parametrize("depth", [2, 3])
def test_shares_by_cells_are_within_their_errors_of_the_exact_ones(n, depth):
    x = np.geomspace(0.11, 2.3, n)
    plane = phase_portrait(TWO, x, x, depth=depth)
    same = phase_portrait(TWO, x, x, start=lambda x, y: BalancedPlane(depth)(x, y))
    assert set(plane.fraction_errors.values()) == {1e-14}
    assert abs(sum(plane.fractions.values()) - 1) < 1e-12
    assert abs(sum(same.fractions.values()) - 1) < 1e-12
    for label, share in plane.fractions.items():
        error = same.fraction_errors[label]
        assert 0 < abs(same.fractions[label] - share) <= error < 0.5


def test_times_of_decision():
    flow, start = TWO, PLANES["imbalance"]
    x, y = np.linspace(0.3, 2.5, 8), np.linspace(0.1, 0.8, 3)
    plane = phase_portrait(flow, x, y, start=start)
    starts = start(x[None], y[:, None])
    blow_up = linf_deep.read(starts, flow.mu, 1.0).blow_up_time.min(axis=-1)
    won = plane.labels >= 1
    assert won.any() and (~won).any()
    assert np.array_equal(plane.settled_at[won], blow_up[won])
    assert np.isnan(plane.settled_at[plane.labels == Label.UNDECIDED]).all()


def test_an_asymptotic_limit_is_settled_at_infinity():
    plane = phase_portrait(
        Flow(single_example([1.0]), l2(1.0)), [0.3, 2.0], [0.3], start=layer_plane
    )
    assert plane.settled_at.round(3).tolist() == [[0.552, np.inf]]


@pytest.mark.parametrize("depth", [2, 3])
def test_an_interrupt_keeps_finished_rows(tmp_path, monkeypatch, depth):
    for name in ("BLOCK", "WRITTEN"):
        monkeypatch.setattr(f"flowsam.portrait.plane_rows.{name}", 20)
    told = []

    def progress(cells):
        told.append(cells)
        if len(told) == 3:
            raise KeyboardInterrupt

    x = np.linspace(0.1, 2.0, 10)
    plane = phase_portrait(TWO, x, x, depth=depth, progress=progress)
    rows = 6
    assert told == [20, 20, 20] and plane.unfinished == 10 - rows
    whole = phase_portrait(TWO, x, x, depth=depth)
    assert np.array_equal(plane.labels[:rows], whole.labels[:rows])
    assert (plane.labels[rows:] == Label.UNDECIDED).all()
    assert plane.fractions[-1] > 0.3
    assert load(plane.save(tmp_path / "part.npz")).unfinished == 10 - rows


def test_progress_counts_every_cell_once():
    told = []
    phase_portrait(TWO, np.linspace(0.1, 2, 30), np.linspace(0.1, 2, 17), progress=told.append)
    assert sum(told) == 30 * 17


def test_a_saved_portrait_is_the_same(tmp_path):
    x = np.linspace(0.1, 2.0, 9)
    plane = phase_portrait(TWO, x, x, depth=3)
    again = load(plane.save(tmp_path / "plane"))
    assert np.array_equal(again.labels, plane.labels) and again.axes == plane.axes
    assert again.provenance() == plane.provenance() and repr(again).startswith("Portrait\n")
    assert [name for name, _ in again.boundaries] == [name for name, _ in plane.boundaries]
    with pytest.raises(ValueError, match="run phase_portrait again"):
        _ = again.settled_at


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WeightPlane(START, (0, 0), (0, 0)), "two places"),
        (lambda: WeightPlane(START, (0, 0), (3, 0)), "count from 0"),
        (lambda: ImbalancePlane([1.0], 1), "depth >= 2"),
        (lambda: SegmentPlane(START, [[1.0]]), "one shape"),
        (lambda: RadiusPlane([1.0]), "pass its layers"),
        (
            lambda: phase_portrait(
                Flow(TWO.data, lp(0, p=3)), [1.0], [1.0], start=RadiusPlane(START)
            ),
            "at rho = 0 every rule is GD",
        ),
        (
            lambda: phase_portrait(TWO, [1.0], [1.0], start=lambda x, y: np.ones((2, 2))),
            "start needs",
        ),
    ],
)
def test_planes_that_are_none_say_so(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_start_that_ignores_some_rows_is_refused():
    def first_row_only(x, y):
        return balanced(np.stack([x[0], np.full(x.size, y[0, 0])], axis=-1), 2)[None]

    x = np.linspace(0.1, 2.0, 20)
    with pytest.raises(
        ValueError, match=r"\(ny, nx, L, d\) = \(20, 20, L, d\).* got \(1, 20, 2, 2\)"
    ):
        phase_portrait(TWO, x, x, start=first_row_only)
    with pytest.raises(ValueError, match=r"got \(1, 1, 2, 2\)"):
        plane = as_plane(lambda x, y: first_row_only(x[:, :1], y))
        labels_at(TWO, plane, x, np.ones(20))


def test_slow_cells_are_told_one_by_one_and_whole_rows_kept(monkeypatch):
    monkeypatch.setattr("flowsam.portrait.plane_rows.SECONDS", 0.0)
    told = []

    def progress(cells):
        told.append(cells)
        if len(told) == 8:
            raise KeyboardInterrupt

    pair = Flow(Data([[1.0, 2.0], [2.0, 0.7]]), gradient_flow())
    axis = np.linspace(0.1, 1.0, 3)
    plane = phase_portrait(
        pair, axis, axis, depth=1, start=SegmentPlane([[0.1, 0.2]], [[1.0, 2.0]]), progress=progress
    )
    assert told == [1] * 8 and plane.unfinished == 1
    assert (plane.labels[:2] == Label.OTHER_DIRECTION).all()
    assert (plane.labels[2] == Label.UNDECIDED).all()


def test_quick_cells_are_told_in_blocks():
    told, x = [], np.linspace(0.1, 2, 400)
    phase_portrait(TWO, x, x, depth=3, progress=told.append)
    assert told[0] == 128 and len(told) < 40


def test_rows_of_two_functions_with_one_name_are_not_joined(tmp_path):
    def plane(size):
        return lambda x, y: balanced(size * np.stack(np.broadcast_arrays(x, y), axis=-1), 2)

    x = np.array([0.5, 1.5])
    kept = replace(phase_portrait(TWO, x, x, start=plane(1)), unfinished=1)
    kept = load(kept.save(tmp_path / "kept.npz"))
    whole = resume(kept, TWO, axes=(x, x), start=plane(1))
    assert whole.labels.tolist() == [[0, 1], [2, 2]] and whole.plane == kept.plane
    with pytest.raises(ValueError, match="the same plane"):
        resume(kept, TWO, axes=(x, x), start=plane(2))


def test_planes_are_told_apart_to_the_last_bit(tmp_path):
    many = np.ones((2, 1500))  # more than what is printed of an array
    near, far = many.copy(), many.copy()
    near[0, 0], far[0, 700] = np.nextafter(1.0, 2.0), 2.0
    flow, x = Flow(single_example(np.arange(1.0, 1501.0)), linf(1.0)), np.array([0.5, 1.5])
    kept = replace(phase_portrait(flow, x, x, start=RadiusPlane(many)), unfinished=1)
    kept = load(kept.save(tmp_path / "kept.npz"))
    for theta in (near, far):
        assert repr(RadiusPlane(theta)) == repr(RadiusPlane(many))
        with pytest.raises(ValueError, match="the same plane"):
            resume(kept, flow, axes=(x, x), start=RadiusPlane(theta))
    renamed = RadiusPlane(many.tolist(), axes=("scale", "rho"))  # names make no other starts
    assert resume(kept, flow, axes=(x, x), start=renamed).plane == kept.plane
    with pytest.raises(ValueError, match="the same plane"):
        resume(kept, flow, axes=(x, x), start=SegmentPlane(many, many))


def test_a_line_has_no_area():
    x = np.linspace(2 / 30, 2, 30)
    plane = phase_portrait(TWO, x, x, start=RadiusPlane([[1.0, 1.0]] * 2))
    assert (plane.labels == Label.SEPARATRIX).sum() == 30
    assert plane.fractions[-2] == 0 and abs(plane.fractions[2] - 0.5) <= plane.fraction_errors[2]
    assert sum(plane.fractions.values()) == pytest.approx(1, rel=1e-14)
    ties = phase_portrait(Flow(single_example([1.0, 1.0]), linf(1.0)), x, x, depth=2)
    by_hand, errors = area_shares.by_cells(ties.labels, x, x)
    assert abs(by_hand[Label.TIE] - ties.fractions[Label.TIE]) <= errors[Label.TIE] + 1e-14


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_a_coordinate_that_never_wins_leaves_the_shares_exact(depth):
    x = np.linspace(1 / 15, 2, 30)
    plane = phase_portrait(Flow(single_example([1.0, -2.0]), linf(1.0)), x, x, depth=depth)
    lost = (1 - x[0]) / (2 - x[0])
    assert plane.fractions == pytest.approx({plane.labels[0, 0]: lost, 1: 1 - lost}, rel=1e-13)
    assert max(plane.fraction_errors.values()) < 1e-13


def test_a_limit_of_a_negative_feature_is_named_with_its_sign():
    x = np.linspace(-3, 3, 9)
    plane = phase_portrait(Flow(single_example([-1.0]), linf(1.0)), x, x, start=layer_plane)
    assert "-e_1" in repr(plane) and plane.signs == ("-",)
    axes = Figure().add_subplot()
    draw.portrait(axes, plane)
    assert "$-e_{1}$" in {text.get_text() for text in axes.texts}


def test_a_radius_that_is_an_axis_is_no_number():
    """Neither the text nor the facts of a radius plane name one rho; a file keeps that."""
    flow = Flow(single_example([1, 2]), linf(1.0))
    plane = RadiusPlane([[1.0, 1.0]] * 2)
    found = phase_portrait(flow, [0.5, 2.0], [0.25, 3.0], start=plane)
    assert "rho=1" not in repr(found) and "rho=y" in found.describe()
    assert found.provenance()["rho"] == "y" and "y: radius rho, 0.25 to 3" in repr(found)


def test_a_saved_radius_plane_and_names_come_back(tmp_path):
    flow = Flow(single_example([1, 2], features=["age", "size"]), l2(0.5))
    plane = RadiusPlane([[1.0, 1.0]] * 2)
    found = phase_portrait(flow, [0.5, 2.0], [0.25, 3.0], start=plane)
    back = Portrait.load(found.save(tmp_path / "plane.npz"))
    assert back.provenance() == found.provenance() and back.radius_axis
    assert back.flow == flow and back.flow.data.features == ("age", "size")


def test_to_xarray_names_axes_and_labels():
    pytest.importorskip("xarray")
    found = phase_portrait(Flow(single_example([1, 2]), linf(1)), [0.5, 1.5], [0.5, 1.5])
    dataset = found.to_xarray()
    assert dataset.labels.sel(x=0.5, y=1.5) == 2 and dataset.labels.dims == ("y", "x")
    assert dataset.x.attrs["long_name"] == "initial weight alpha_1"
    flags = dataset.labels.attrs
    assert flags["flag_values"] == [0, 1, 2] and flags["flag_meanings"] == "zero basis basis"
    assert dataset.attrs["rule"] == "l_inf-SAM"


def test_regions_are_named_by_features():
    """Text and picture say whose basis vector it is; a dollar sign is no formula."""
    flow = Flow(single_example([1, 2], features=["a$b$", "size"]), linf(1))
    x = np.linspace(0.05, 2.0, 60)
    found = phase_portrait(flow, x, x)
    assert "e_2 (size) " in repr(found)
    axes = Figure().subplots()
    draw.portrait(axes, found)
    axes.figure.canvas.draw()
    assert {text.get_text() for text in axes.texts} >= {"a\\$b\\$", "size"}


@pytest.mark.parametrize("unit", [2.0**-1020, 2.0**-500, 2.0**1020])
def test_planes_at_the_ends_of_doubles_have_their_shares(unit):
    axis = np.array([0.2, 3.0])
    for depth in (2, 3):
        near = phase_portrait(Flow(single_example([1, 2]), linf(1)), axis, axis, depth=depth)
        flow = Flow(single_example([1, 2]), linf(unit))
        far = phase_portrait(flow, unit * axis, unit * axis, depth=depth)
        assert far.fractions == near.fractions


def test_a_plane_of_unlike_sizes_leaves_the_range_without_a_word():
    axis = np.array([0.1, 1e308])
    flow = Flow(single_example([1, 2]), linf(1))
    plane = phase_portrait(flow, axis, axis)
    assert plane.fractions[2] == 1.0 and plane.settled_at.shape == (2, 2)
    lone = phase_portrait(Flow(single_example([1]), linf(1)), -axis, axis, start=layer_plane)
    assert np.isfinite(lone.boundaries[0][1]).all() and sum(lone.fractions.values()) == 1
    ends = [-1.7e308, 1e308]
    lone = phase_portrait(lone.flow, ends, ends, start=layer_plane)
    assert sum(lone.fractions.values()) == 1 and np.isfinite(lone.boundaries[0][1]).all()


def test_depth_beside_a_plane_of_other_layers_is_refused(tmp_path):
    flow, x = Flow(single_example([1, 2]), linf(1.0)), [0.5, 1.5]
    assert phase_portrait(flow, x, x, depth=3, start=BalancedPlane(3)).depth == 3
    with pytest.raises(ValueError, match="depth is for the default plane, got 3 and a start of 2"):
        phase_portrait(flow, x, x, depth=3, start=BalancedPlane(2))
    with pytest.raises(ValueError, match="got 4 and a start of 3 layers"):
        stream_portrait(flow, x, x, depth=4, start=BalancedPlane(3), path=tmp_path / "a.npy")


@pytest.mark.parametrize("refined", [False, True])
def test_a_saved_portrait_keeps_its_fractions(tmp_path, refined):
    """Exact areas, or those of located boundaries, are not those of cells: a file has them all."""
    x = np.linspace(0.1, 2.0, 12)
    rule = lp(0.8, p=3) if refined else linf(0.8)
    plane = phase_portrait(Flow(single_example([1.0, 2.0]), rule), x, x)
    plane = refine(plane, levels=2) if refined else plane
    again = load(plane.save(tmp_path / "plane"))
    assert again.fractions == plane.fractions and again.fraction_errors == plane.fraction_errors
    assert again.fractions != area_shares.by_cells(plane.labels, x, x)[0]
    assert refined or replace(again, unfinished=3).fractions != again.fractions
