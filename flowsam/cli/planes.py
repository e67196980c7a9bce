"""The options that name a plane of starts: which two parameters, over which ranges."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from flowsam.cli.options import NUMBERS, WHOLE, Option, choice
from flowsam.cli.problem import FLOW, Typed, parameters_of, read_theta, setup, spread
from flowsam.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from flowsam.flow import Flow
    from flowsam.portrait.plane_rows import Grid
    from flowsam.portrait.planes import Plane


_MOST = 10**13  # cells of a stream on a disk of 20 TB
_ALIKE = ("balanced", "layers", "weights")  # x and y are of one kind: --x is --y too
_BASES = {  # starts that planes are made of
    **dict.fromkeys(("balanced", "layers"), 0),
    **dict.fromkeys(("weights", "imbalance", "radius"), 1),
    "segment": 2,
}
PLANE = (
    Option(
        "--plane",
        "balanced: alpha_1, alpha_2; layers: one feature's u, v; weights: two weights of a "
        "start; imbalance: scale and unequal layers; segment: place between two starts and scale; "
        "radius: scale and rho, without --rho. Default: layers for one feature, else "
        "balanced.",
        choice("balanced", "layers", "weights", "imbalance", "segment", "radius"),
    ),
    Option("--depth", "Layers of the starts.", WHOLE, default="2"),
    Option(
        "--init",
        "A balanced start the plane is made of; twice for segment.",
        NUMBERS,
        parameter="alpha",
        many=True,
    ),
    Option(
        "--theta",
        "The same as a .npy file of weights, shape (L, d).",
        many=True,
    ),
    Option(
        "--weights",
        "Of the weights plane: LAYER.FEATURE,LAYER.FEATURE, counted from 1.",
    ),
    Option(
        "--x",
        "START,STOP or START,STOP,POINTS of the first parameter.",
    ),
    Option("--y", "The same of the second; default: by the plane."),
    Option("--grid", "Points: N, or NX,NY.", default="401"),
)


def plane_asked(given: Namespace) -> Grid:
    """Return the plane that the options name."""
    parameters = parameters_of(given, FLOW)
    if not given.y and given.plane in (None, *_ALIKE):
        given.y = given.x
    _check_meant(given)
    if given.plane == "radius":
        parameters.setdefault("rho", 1.0)
    parameters.check()
    points = _points(given.grid)
    parameters["split_signs"] = False
    flow = setup(parameters).flow
    from flowsam.portrait.plane_rows import Grid  # heavy: after the options are checked

    kind = given.plane or ("layers" if flow.data.z.shape[1] == 1 else "balanced")
    return Grid(flow, _plane(flow, kind, given), *_axes(flow, kind, points, given))


def _check_meant(given: Namespace) -> None:
    """Refuse options that say the same, and a plane of radii without a rule that has one."""
    if given.plane == "radius" and given.norm == "none":
        raise InputError("--plane radius needs a rule with a radius, got --norm none")
    if given.plane == "radius" and given.rho is not None:
        raise InputError(
            f"--plane radius has rho as its --y, got --rho {given.rho:g} too; leave "
            "it out"
        )
    if "--depth" in given.typed and given.theta:
        raise InputError(
            "--depth is for --init, got --theta, which has its layers; leave it out"
        )
    points = [str(text).count(",") == 2 for text in (given.x, given.y)]
    if "--grid" in given.typed and sum(points) + given.grid.count(",") >= 2:
        raise InputError(
            f"--grid {given.grid} counts points that --x or --y counts too; leave them out"
        )


def _plane(flow: Flow, kind: str, given: Namespace) -> Plane:
    """The plane the options ask for."""
    from flowsam.portrait import planes

    bases = _bases(flow, kind, given)
    if given.weights and kind != "weights":
        raise InputError(
            f"--weights belongs to --plane weights, got --plane {kind}; drop it"
        )
    if kind == "weights":
        first, second = _places(given.weights, bases[0].shape)
        return planes.WeightPlane(bases[0], first, second)
    if kind == "segment":
        return planes.SegmentPlane(bases[0], bases[1])
    if kind == "radius":
        return planes.RadiusPlane(bases[0])
    if kind == "imbalance":
        if (bases[0] != bases[0][0]).any():
            raise InputError(
                "--plane imbalance tilts a balanced start; give it by --init"
            )
        return planes.ImbalancePlane(bases[0][0], len(bases[0]))
    return _known_plane(kind, flow.data.z.shape[1], given.depth)


def _known_plane(kind: str, d: int, depth: int) -> Plane:
    """A plane that needs no start, if it fits the data."""
    from flowsam.portrait import planes

    needs = "d = 2 features"
    got = f"d = {d}"
    if kind == "balanced" and d == 2:
        return planes.BalancedPlane(depth)
    if kind == "layers":
        if (d, depth) == (1, 2):
            return planes.layer_plane
        needs = "d = 1 feature and two layers"
        got += f" and depth {depth}"
    raise InputError(
        f"--plane {kind} needs {needs}, got {got}; --plane segment, imbalance, weights and radius "
        "take any"
    )


def _bases(flow: Flow, kind: str, given: Namespace) -> list[np.ndarray]:
    """The starts that --init or --theta give, as many as the plane needs."""
    needed = _BASES[kind]
    init = given.alpha
    theta = given.theta
    if len(init) + len(theta) != needed or (init and theta):
        words = ("takes no start", "needs one start", "needs two starts of one kind")
        move = "e.g. --init 1" + " --init 2" * (needed - 1)
        raise InputError(
            f"--plane {kind} {words[needed]}, got {len(init)} --init and {len(theta)} --theta; "
            f"{move if needed else 'leave them out'}"
        )
    files = [flow.checked(read_theta(path)) for path in theta]
    starts = [Typed(alpha=alpha).balanced(flow, given.depth) for alpha in init]
    return files + starts


def _places(text: str | None, shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Two places (layer, coordinate), counted from 0, of LAYER.FEATURE,LAYER.FEATURE."""
    import numpy as np

    known = {f"{i + 1}.{j + 1}": (i, j) for i, j in np.ndindex(shape)}
    words = [word.strip() for word in (text or "").split(",")]
    found = [known[word] for word in words if word in known]
    if not len(words) == len({*found}) == 2:
        raise InputError(
            f"--weights needs two places LAYER.FEATURE,LAYER.FEATURE in {shape[0]} layers and "
            f"{shape[1]} features, counted from 1, got {text!r}; e.g. --weights 1.1,2.1"
        )
    return found


def _points(grid: str) -> tuple[int, int]:
    """Numbers of points of --grid."""
    points = NUMBERS.of(grid, "--grid")
    if len(points) not in (1, 2) or not all(n >= 1 and n.is_integer() for n in points):
        raise InputError(
            f"--grid needs N or NX,NY of at least 1, got {grid!r}; e.g. 401"
        )
    if points[0] * points[-1] > _MOST:
        raise InputError(
            f"--grid needs at most {_MOST:.0e} cells, got {grid!r}; e.g. 401"
        )
    return int(points[0]), int(points[-1])


def _axes(
    flow: Flow, kind: str, points: tuple[int, int], given: Namespace
) -> list[np.ndarray]:
    """The parameters of the plane; without ranges, about twice the radius."""
    import numpy as np

    from flowsam.regimes import regime_of

    regime = regime_of(flow.kind, 2)
    rho = flow.rho if regime.scale_free else 0.0
    reach = 2 * rho or 2.0
    both = (-1.5 * reach, 1.5 * reach)
    x, y = ((reach / n, reach) for n in points)
    spans = {
        "imbalance": (x, (-1.0, 1.0)),
        "segment": ((0.0, 1.0), y),
        **dict.fromkeys(("layers", "weights"), (both, both)),
    }.get(kind, (x, y))
    texts = {"--x": given.x, "--y": given.y}
    return [
        spread(text, option, points=n) if text else np.linspace(*span, n)
        for (option, text), n, span in zip(texts.items(), points, spans, strict=True)
    ]
