"""The options that name a plane of starts: which two parameters, over which ranges."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from flowsam.cli import reading
from flowsam.cli.problem import COMMAND, setup
from flowsam.parameters import balanced_start, check

if TYPE_CHECKING:
    import numpy as np

    from flowsam.flow import Flow
    from flowsam.portrait.planes import Plane

__all__ = ["KINDS", "plane_options"]

Command = Callable[..., Any]
_MOST = 10**13  # cells of a stream on a disk of 20 TB
KINDS = ("balanced", "layers", "weights", "imbalance", "segment", "radius")
ALIKE = ("balanced", "layers", "weights")  # x and y are of one kind: --x is --y too
BASES = {
    "weights": 1,
    "imbalance": 1,
    "segment": 2,
    "radius": 1,
}  # starts each plane is made of
_OPTIONS = (
    click.option(
        "--plane",
        type=click.Choice(KINDS),
        help="balanced: alpha_1, alpha_2; layers: one feature's u, v; weights: two weights of a "
        "start; imbalance: scale and unequal layers; segment: place between two starts and scale; "
        "radius: scale and rho, without --rho. Default: layers for one feature, else "
        "balanced.",
    ),
    click.option(
        "--depth", type=int, default=2, show_default=True, help="Layers of the starts."
    ),
    click.option(
        "--init",
        multiple=True,
        help="A balanced start the plane is made of; twice for segment.",
    ),
    click.option(
        "--theta",
        multiple=True,
        help="The same as a .npy file of weights, shape (L, d).",
    ),
    click.option(
        "--weights",
        help="Of the weights plane: LAYER.FEATURE,LAYER.FEATURE, counted from 1.",
    ),
    click.option(
        "--x", "x_range", help="START,STOP or START,STOP,POINTS of the first parameter."
    ),
    click.option(
        "--y", "y_range", help="The same of the second; default: by the plane."
    ),
    click.option(
        "--grid", default="401", show_default=True, help="Points: N, or NX,NY."
    ),
)


def plane_options(command: Command) -> Command:
    """Add the options of a plane; the command gets `flow`, `start`, `x` and `y`."""

    @functools.wraps(command)
    def with_plane(
        *, parameters: dict[str, Any], plane: str | None, **rest: Any
    ) -> Any:
        made_of = {
            name: rest.pop(name) for name in ("depth", "init", "theta", "weights")
        }
        ranges = {name: rest.pop(name) for name in ("x_range", "y_range", "grid")}
        _check_radius(plane, parameters)
        if not ranges["y_range"] and plane in (None, *ALIKE):
            ranges["y_range"] = ranges["x_range"]
        _check_meant(made_of["theta"], ranges)
        parameters = ({"rho": 1.0} if plane == "radius" else {}) | parameters
        check(parameters, COMMAND)
        points = _points(ranges.pop("grid"))
        flow = setup(parameters | {"split_signs": False}).flow
        kind = plane or ("layers" if flow.data.z.shape[1] == 1 else "balanced")
        start = _plane(flow, kind, **made_of)
        x, y = _axes(flow, kind, points, **ranges)
        return command(flow=flow, start=start, x=x, y=y, **rest)

    for option in reversed(_OPTIONS):
        with_plane = option(with_plane)
    return with_plane


def _check_radius(plane: str | None, parameters: dict[str, Any]) -> None:
    """Refuse a plane of radii without a rule that has one, and a radius beside it."""
    if plane != "radius":
        return
    if parameters["norm"] == "none":
        raise click.UsageError(
            "--plane radius needs a rule with a radius, got --norm none"
        )
    if "rho" in parameters:
        raise click.UsageError(
            f"--plane radius has rho as its --y, got --rho {parameters['rho']:g} too; leave "
            "it out"
        )


def _check_meant(theta: tuple[str, ...], ranges: dict[str, Any]) -> None:
    """Refuse --depth and --grid where files and ranges say the same."""
    source = click.get_current_context().get_parameter_source
    typed = [n for n in ("depth", "grid") if source(n) is ParameterSource.COMMANDLINE]
    if "depth" in typed and theta:
        raise click.UsageError(
            "--depth is for --init, got --theta, which has its layers; leave it out"
        )
    points = [str(ranges[name]).count(",") == 2 for name in ("x_range", "y_range")]
    if "grid" in typed and sum(points) + ranges["grid"].count(",") >= 2:
        raise click.UsageError(
            f"--grid {ranges['grid']} counts points that --x or --y counts too; leave them out"
        )


def _plane(
    flow: Flow,
    kind: str,
    *,
    depth: int,
    init: tuple[str, ...],
    theta: tuple[str, ...],
    weights: str | None,
) -> Plane:
    """The plane the options ask for."""
    from flowsam.portrait import planes

    bases = _bases(flow, kind, depth, (init, theta))
    if weights and kind != "weights":
        raise click.UsageError(
            f"--weights belongs to --plane weights, got --plane {kind}; drop it"
        )
    if kind in ("balanced", "layers"):
        return _known_plane(kind, flow.data.z.shape[1], depth)
    if kind == "weights":
        return planes.WeightPlane(bases[0], *_places(weights, bases[0].shape))
    if kind == "imbalance":
        if (bases[0] != bases[0][0]).any():
            raise click.UsageError(
                "--plane imbalance tilts a balanced start; give it by --init"
            )
        return planes.ImbalancePlane(bases[0][0], len(bases[0]))
    if kind == "segment":
        return planes.SegmentPlane(bases[0], bases[1])
    return planes.RadiusPlane(bases[0])


def _known_plane(kind: str, d: int, depth: int) -> Plane:
    """A plane that needs no start, if it fits the data."""
    from flowsam.portrait import planes

    if kind == "balanced" and d == 2:
        return planes.BalancedPlane(depth)
    if kind == "layers" and (d, depth) == (1, 2):
        return planes.layer_plane
    if kind == "balanced":
        needs = "d = 2 features"
        got = f"d = {d}"
    else:
        needs = "d = 1 feature and two layers"
        got = f"d = {d} and depth {depth}"
    raise click.UsageError(
        f"--plane {kind} needs {needs}, got {got}; --plane segment, imbalance, weights and radius "
        "take any"
    )


def _bases(
    flow: Flow, kind: str, depth: int, given: tuple[tuple[str, ...], tuple[str, ...]]
) -> list[np.ndarray]:
    """The starts that --init or --theta give, as many as the plane needs."""
    init, theta = given
    needed = BASES.get(kind, 0)
    if len(init) + len(theta) != needed or (init and theta):
        words = ("takes no start", "needs one start", "needs two starts of one kind")[
            needed
        ]
        raise click.UsageError(
            f"--plane {kind} {words}, got {len(init)} --init and {len(theta)} --theta; "
            + (
                "leave them out"
                if not needed
                else "e.g. --init 1" + " --init 2" * (needed - 1)
            )
        )
    files = [flow.checked(reading.read_theta(path)) for path in theta]
    alphas = [{"alpha": reading.numbers(text, "--init")} for text in init]
    return files + [
        balanced_start(flow, a, depth=depth, dialect=COMMAND) for a in alphas
    ]


def _places(
    text: str | None, shape: tuple[int, ...]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two places (layer, coordinate), counted from 0, of LAYER.FEATURE,LAYER.FEATURE."""
    try:
        places = [
            tuple(int(n) - 1 for n in entry.split("."))
            for entry in (text or "").split(",")
        ]
    except ValueError:
        places = []
    if len(places) != 2 or any(len(place) != 2 for place in places):
        raise click.UsageError(
            f"--weights needs LAYER.FEATURE,LAYER.FEATURE, got {text!r}; e.g. --weights 1.1,2.1"
        )
    inside = all(
        0 <= k < size for place in places for k, size in zip(place, shape, strict=True)
    )
    if not inside or places[0] == places[1]:
        raise click.UsageError(
            f"--weights needs two places in {shape[0]} layers and {shape[1]} features, counted "
            f"from 1, got {text!r}; e.g. --weights 1.1,2.1"
        )
    (layer, feature), (other_layer, other_feature) = places
    return (layer, feature), (other_layer, other_feature)


def _points(grid: str) -> tuple[int, int]:
    """Numbers of points of --grid."""
    points = reading.numbers(grid, "--grid")
    if len(points) not in (1, 2) or not all(n >= 1 and n.is_integer() for n in points):
        raise click.UsageError(
            f"--grid needs N or NX,NY of at least 1, got {grid!r}; e.g. 401"
        )
    nx = int(points[0])
    ny = int(points[-1])
    if nx * ny > _MOST:
        raise click.UsageError(
            f"--grid needs at most {_MOST:.0e} cells, got {grid!r}; e.g. 401"
        )
    return nx, ny


def _axes(
    flow: Flow,
    kind: str,
    points: tuple[int, int],
    *,
    x_range: str | None,
    y_range: str | None,
) -> tuple[np.ndarray, np.ndarray]:
    """The parameters of the plane; without ranges, about twice the radius."""
    nx, ny = points
    from flowsam.regimes import regime_of

    regime = regime_of(flow.kind, 2)
    rho = flow.perturbation.rho if regime.scale_free else 0.0
    reach = 2 * rho or 2.0
    both = (-1.5 * reach, 1.5 * reach)
    above = (reach / nx, reach)
    ends = {
        "balanced": (above, (reach / ny, reach)),
        "imbalance": (above, (-1.0, 1.0)),
        "segment": ((0.0, 1.0), (reach / ny, reach)),
        "radius": (above, (reach / ny, reach)),
    }.get(kind, (both, both))
    x = reading.spread(x_range, "--x", points=nx) if x_range else _even(*ends[0], nx)
    y = reading.spread(y_range, "--y", points=ny) if y_range else _even(*ends[1], ny)
    return x, y


def _even(low: float, high: float, points: int) -> np.ndarray:
    """Equal steps."""
    import numpy as np

    return np.linspace(low, high, points)
