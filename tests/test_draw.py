"""Pictures: artists from arrays, theory over computation, colours that survive grey."""

import functools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import flowsam.draw as paint
from figures.skeletons import pack, unpack
from flowsam import (
    Data,
    Flow,
    Label,
    gradient_flow,
    l2,
    layer_plane,
    linf,
    phase_portrait,
    single_example,
    solve,
    split_signs,
)
from flowsam.portrait import PlaneField, skeleton


@functools.cache
def found():
    """The skeleton of one coordinate's plane, with two paths."""
    flow = Flow(single_example([1.0]), linf(1.0))
    field = PlaneField(flow, layer_plane, (-3, 3), (-3, 3))
    return skeleton(field, starts=[[0.5, 0.7], [1.5, 1.2]], columns=6)


def test_a_skeleton_becomes_artists_with_theory_on_top():
    before, axes = dict(mpl.rcParams), Figure().add_subplot()
    shown = paint.skeleton(axes, found())
    assert dict(mpl.rcParams) == before
    assert set(shown) == {
        "nullcline x' = 0",
        "nullcline y' = 0",
        "sliding",
        "trajectory",
        "separatrix",
        "saddle",
        "stable pseudo-node",
    }
    order = [shown[k].zorder for k in ("sliding", "trajectory", "separatrix", "saddle")]
    assert order == sorted(order) and shown["nullcline x' = 0"].zorder < order[0]
    assert axes.get_xlim() == (-3, 3) and len(axes.texts) == 2  # an arrow a path


def test_arrows_are_of_one_length_and_the_zero_field_has_none():
    axes, x = Figure().add_subplot(), np.arange(3.0)
    velocity = np.zeros((3, 3, 2))
    velocity[0, 0], velocity[1, 2] = (3, 4), (-1e-9, 0)
    drawn = paint.arrows(axes, x, x, velocity)
    np.testing.assert_allclose(np.hypot(drawn.U, drawn.V)[[0, 5]], 0.72)
    assert np.count_nonzero(np.hypot(drawn.U, drawn.V)) == 2


def test_rest_points_are_told_apart_without_colour():
    axes = Figure().add_subplot()
    shown = paint.rest_points(axes, found().equilibria)
    looks = {
        kind: (mark.get_marker(), mark.get_fillstyle(), mark.get_markerfacecolor())
        for kind, mark in shown.items()
    }
    assert looks == {"saddle": ("o", "left", "black"), "stable pseudo-node": ("D", "full", "black")}


def test_regions_that_meet_differ_in_grey():
    def grey(label):
        return np.dot(to_rgb(paint.LIMIT_COLOURS[int(label)]), [0.2126, 0.7152, 0.0722])

    for meeting in ([0, 1, 2], [Label.STALLED, 1, 2], [Label.UNDECIDED, 1, 2], [1, 2, 3]):
        shades = np.sort([grey(label) for label in meeting])
        assert np.diff(shades).min() > 0.05, meeting


def test_skeletons_survive_being_arrays():
    kept = pack(found(), "field_")
    assert all(values.dtype != object for values in kept.values())
    back = unpack(kept, "field_")
    again = pack(back, "field_")
    for name, values in kept.items():
        np.testing.assert_array_equal(values, again[name], err_msg=name)
    assert [p.kind for p in back.equilibria] == ["saddle", "stable pseudo-node", "saddle"]


def test_times_leave_out_what_is_never_or_not_known():
    x = np.array([0.5, 1.5])
    plane = phase_portrait(Flow(single_example([1, 2]), linf(1)), x, x)
    axes = Figure().add_subplot()
    mesh = paint.times(axes, plane)
    never = axes.collections[0]  # escapes at L = 2 take for ever
    assert np.ma.getmaskarray(mesh.get_array()).ravel().tolist() == [False, True, True, True]
    assert np.ma.getmaskarray(never.get_array()).ravel().tolist() == [True, False, False, False]


def test_a_region_s_name_is_not_under_a_rest_point():
    x, flow = np.linspace(-3, 3, 41), Flow(single_example([1.0]), linf(1.0))
    axes = Figure().subplots()
    paint.regions(axes, x, x, phase_portrait(flow, x, x, start=layer_plane).labels)
    lines = skeleton(PlaneField(flow, layer_plane, (-3, 3), (-3, 3)), columns=2)
    name = next(text for text in axes.texts if text.get_text() == "0")
    assert np.abs(name.get_position()).max() < 0.3  # the diamond at the origin
    paint.skeleton(axes, lines)
    assert min(name.get_position()) > 0.5


def test_a_map_of_leaders_has_time_upwards_and_says_who_leads():
    alpha, tau = np.linspace(0.1, 1.0, 40), np.linspace(0.0, 2.0, 50)
    leader = np.repeat(np.repeat([0, 2, 1], [14, 13, 13])[:, None], 50, axis=1)
    axes = Figure().subplots()
    mesh = paint.leaders(axes, alpha, tau, leader, ranks=np.array([1, 0]))
    assert mesh.get_array().shape == (50, 40) and axes.get_ylim() == (0.0, 2.0)
    words = {text.get_text()[0]: text.get_position()[0] for text in axes.texts}
    assert words["c"] < words["2"] < words["1"]
    minor, major = (mesh.cmap(mesh.norm(place)) for place in (2, 1))  # 2 is the minor one: dark
    assert sum(minor[:3]) < sum(major[:3])


def test_a_run_over_either_clock():
    """Curves are the trajectory's, named by its features; a blow-up is a line at its time."""
    data = single_example([1, 2], features=["a_$b$", "size"])
    ran = solve(Flow(data, linf(1)), [[1.5, 0.6]] * 2, tau_end=3)
    for clock, time in (("tau", ran.tau), ("log_t", ran.log_t)):
        axes = Figure().subplots()
        lines = paint.run(axes, ran, clock=clock)
        assert [line.get_label() for line in lines] == ["a_$b$", "size"]
        for j, line in enumerate(lines):
            assert line.get_xdata().tolist() == time.tolist()
            assert line.get_ydata().tolist() == ran.beta[:, j].tolist()
        axes.figure.canvas.draw()  # a name is no formula
    (line,) = paint.run(Figure().subplots(), ran, quantity="margins")
    assert line.get_ydata().tolist() == ran.margins[:, 0].tolist()
    shares = np.array(
        [x.get_ydata() for x in paint.run(Figure().subplots(), ran, quantity="share")]
    )
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, rtol=1e-15)
    for wrong in ({"quantity": "loss"}, {"clock": "t"}):
        with pytest.raises(ValueError, match=r"draw.run knows"):
            paint.run(Figure().subplots(), ran, **wrong)


def test_a_run_that_blows_up_or_is_split():
    ran = solve(Flow(single_example([1.0]), gradient_flow()), [[1.0]] * 3, tau_end=2)
    axes = Figure().subplots()
    (line,) = paint.run(axes, ran)
    assert np.isfinite(line.get_ydata()).all() and len(axes.lines) == 2
    assert axes.lines[1].get_xdata() == [ran.tau[-1]] * 2
    split = split_signs(Data([[1.0, 2.0], [1.0, -0.5]], features=["a", "b"]))
    ran = solve(Flow(split, l2(0.1)), np.full((2, 4), 0.5), log_t_end=3)
    lines = paint.run(Figure().subplots(), ran, clock="log_t")
    assert [line.get_label() for line in lines] == ["a", "b"]
    assert lines[1].get_ydata().tolist() == (ran.beta[:, 1] - ran.beta[:, 3]).tolist()
