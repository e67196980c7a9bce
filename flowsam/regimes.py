"""THE table: which regime a flow is in, and what every verb does there.

A regime is a cell (one or several examples, kind of rule, depth 1, 2 or 3 and more), found without
a look at the start; a form is a closed form inside a regime, chosen for each start. To add a rule:
a word in `Perturbation.kind` and its rows below. A kind without rows, as a rule, a loss or a field
of the user's own, is followed by steps, and no theorem or formula is used for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from flowsam.columns import Regime, loaded
from flowsam.exact import ALONE, BALANCED, DEEP, L2, TWO_LAYERS, Form
from flowsam.falls import Falls
from flowsam.flow import Flow
from flowsam.labels import Label
from flowsam.perturbations import Perturbation, linf
from flowsam.shapes import Chosen, Labels, Starts, Theta, Thetas, Vector, Which

MOST_STEPS = 3_000  # of one start that a path decides: one or two seconds
DEEPEST = 3  # stands for itself and all beyond


@dataclass(frozen=True, eq=False)
class Case:
    """A row of the table, bound to a flow at a depth."""

    flow: Flow
    depth: int
    regime: Regime
    log_t_end: float  # where a run of several examples ends that decides a limit
    most_steps: int = MOST_STEPS  # of one example's path, rounds together

    @property
    def mu(self) -> Vector:
        """The one example."""
        return self.flow.mu

    @property
    def rule(self) -> Perturbation:
        """The rule of the flow."""
        return self.flow.perturbation

    @property
    def system(self) -> Any:
        """The class of velocities of one example."""
        return loaded(self.regime.system)

    @cached_property
    def falls(self) -> Falls | None:
        """The falls of three layers of a feature, or more, into 0 at once; None without any."""
        if not self.regime.falls or self.depth < 3:
            return None
        data = self.flow.data
        return Falls(data.moving, self.rule.steep, goes_on=len(data.z) == 1)

    def falls_of(self, theta0: Theta) -> Falls | None:
        """The falls of equal layers, under rules whose row has none, in steps without events."""
        moving = self.flow.data.moving
        even = self.depth > 2 and not np.ptp(np.abs(theta0[:, moving]), axis=0).any()
        if not (even and self.rule.keeps_length):
            return None
        return Falls(moving, steep=False, goes_on=False)

    def ask(self, column: str) -> Callable[..., Any]:
        """Return the function of a column, with the case as its first argument."""
        return partial(loaded(getattr(self.regime, column)), self)

    def on(self, column: str, kind: str) -> Callable[..., Any] | None:
        """Return what a column has for a kind of plane, or None."""
        name = getattr(self.regime, column).get(kind)
        return loaded(name) if name else None

    @property
    def gated(self) -> bool:
        """Whether equal layers of several examples have a gate that none passes, beyond 0 too."""
        return self.regime.dies and self.depth % 2 == 1

    def form(self, theta0: Theta) -> Form | None:
        """Return the closed form of one start, or None."""
        return next((f for f in self.regime.forms if f.applies(theta0, self.mu)), None)

    def split(self, starts: Starts) -> Iterator[tuple[Form | None, Chosen]]:
        """Yield each form with the starts it is chosen for, and None with the others."""
        left = np.ones(len(starts), dtype=bool)
        for form in self.regime.forms:
            mine = left & form.applies(starts, self.mu)
            left &= ~mine
            if mine.any():
                yield form, mine
        if left.any():
            yield None, left

    def labels(self, starts: Thetas) -> Labels:
        """Return the labels of starts (..., L, d); those alone by the theorem of l_inf."""
        flat = starts.reshape(-1, *starts.shape[-2:])
        found = np.empty(len(flat), dtype=np.int64)
        alone = self._alone(flat)
        if alone.any():
            found[alone] = self._gated.labels(flat[alone])
        if not alone.all():
            found[~alone] = self.ask("labels")(flat[~alone])
        return found.reshape(starts.shape[:-2])

    def verdict(self, theta0: Theta) -> Any:
        """Return the `Limit` of one start; if it is alone, by the theorem of l_inf."""
        if self._alone(theta0):
            return self._gated.verdict(theta0)
        return self.ask("verdict")(theta0)

    def _alone(self, starts: Thetas) -> Which:
        """Tell which starts move like l_inf with the radius of their gate."""
        if ALONE not in self.regime.forms:
            return np.zeros(starts.shape[:-2], dtype=bool)
        return ALONE.applies(starts, self.mu)

    @property
    def _gated(self) -> Case:
        """The same with l_inf at the gate of a lone balanced coordinate."""
        rho = ALONE.radius(self.rule, self.depth)
        return case_of(Flow(self.flow.data, linf(rho), self.flow.loss), self.depth)


def case_of(flow: Flow, depth: int) -> Case:
    """Return the row of a flow at a depth.

    A loss of the user's own keeps the path of its rule: for one example its theorems too, but for
    unnormalised SAM, whose step it scales; for several examples no theorem is known.
    """
    several = len(flow.data.z) > 1
    regime = regime_of(flow.kind, depth, several=several)
    if regime.braked and flow.perturbation.gate(depth) >= 1:
        regime = replace(regime, labels=_OWN.labels, verdict=regime.braked)
    if flow.loss.known or flow.perturbation.normalised and not several:
        return Case(flow, depth, regime, flow.perturbation.late)
    blank: dict[str, Any] = dict(norm=None, finite="", analytic=False, glides=False)
    known = replace(regime, verdict=_OWN_MANY.verdict, **blank) if several else _OWN
    return Case(flow, depth, known, flow.perturbation.late)


def regime_of(kind: str, depth: int, *, several: bool = False) -> Regime:
    """Return the row of a kind of rule at a depth."""
    place = (several, kind, min(depth, DEEPEST))
    return TABLE.get(place, _OWN_MANY if several else _OWN)


# One example. Unlike l_inf, other rules move a balanced coordinate that is alone by its gate.
_ALONE = (
    "|u_j + sign(mu_j) v_j| is beyond 2^(1-1/p) rho = {:.4g}, from where it only grows, "
    "and no coordinate of larger |mu_j| can follow"
)
_TOGETHER = (
    "|u_j + sign(mu_j) v_j| of a coordinate is beyond 2^(1-1/p) rho = {:.4g}, from "
    "where it only grows, and the largest |mu_j| that moves overtakes it"
)
_RISE = (
    "rho Lambda max|mu| is below 1: all coordinates grow, the largest |mu_j| fastest"
)
_PATH = Regime(
    "outcomes.settling:labels",
    "outcomes.settling:by_path",
    forms=(ALONE,),
    escapes=_TOGETHER,
    falls=True,
)
_OWN = Regime(
    "outcomes.theorems:told",
    "outcomes.theorems:unknown",
    system="one_example.smooth:Free",
    settled="outcomes.theorems:times",
    scale_free=False,
    apart=True,
    known=False,
)
_LINE = Regime(
    "outcomes.theorems:told",
    "outcomes.theorems:along_mu",
    label=Label.OTHER_DIRECTION,
    forms=(ALONE,),
    settled="outcomes.theorems:times",
    time=np.inf,  # nothing rests or blows up
)
_EVEN_LINE = replace(_LINE, forms=(BALANCED,))
_TIED_LINE = replace(_LINE, many=False, smooth_off_axes=False)
_LINF = Regime(
    "outcomes.theorems:two_layers",
    "outcomes.theorems:by_theorem",
    forms=(BALANCED, TWO_LAYERS),
    system="one_example.filippov:Switching",
    settled="outcomes.theorems:times",
    rows={"balanced": "portrait.decided_rows:separable"},
    curves={
        "balanced": "portrait.theory_curves:two_gates",
        "layers": "portrait.theory_curves:conics",
        "pair": "portrait.theory_curves:pairs",
    },
    shares={"balanced": "portrait.area_shares:by_regions"},
    provable=True,
)
_LINF_DEEP = replace(
    _LINF,
    labels="outcomes.first_blow_up:labels",
    verdict="outcomes.first_blow_up:verdict",
    forms=(BALANCED, DEEP),
    rows={},
    curves={
        "balanced": "portrait.theory_curves:deep_gates",
        "pair": "portrait.theory_curves:pairs",
    },
)
_L2 = replace(
    _PATH,
    labels="outcomes.theorems:euclidean",
    verdict="outcomes.theorems:by_curve",
    forms=(ALONE, L2),
    rows={"balanced": "portrait.decided_rows:ordered"},
    curves={
        "balanced": "portrait.theory_curves:bend",
        "layers": "portrait.theory_curves:branches",
    },
    amplifies=True,
    provable=True,
)
_BALLS = replace(_PATH, provable=True)  # p > 1, finite
_L2_DEEP = replace(_BALLS, curves={"balanced": "portrait.theory_curves:ray"})
_DYING_DEEP = replace(_BALLS, system="one_example.dying:Dying", fades=True)
_DYING = replace(_DYING_DEEP, escapes=_ALONE)
_TIED = replace(
    _PATH,
    system="one_example.vertex_sliding:VertexSliding",
    escapes=_ALONE,
    smooth_off_axes=False,
)
_TIED_DEEP = replace(
    _TIED,
    labels="outcomes.tied_layers:labels",
    verdict="outcomes.tied_layers:verdict",
    forms=(),
    settled="outcomes.theorems:refused",
    curves={"balanced": "portrait.theory_curves:ties"},
    many=False,
    apart=True,
)
_FREE = replace(_PATH, forms=(), escapes=_RISE, falls=False)  # unnormalised
_LEVEL = Regime(  # ASAM
    "outcomes.adaptive:labels",
    "outcomes.adaptive:verdict",
    braked="outcomes.adaptive:no_theorem",
    settled="outcomes.theorems:refused",
    known=False,
)
_MIXED = replace(
    _LEVEL,
    labels="outcomes.adaptive_deep:labels",
    verdict="outcomes.adaptive_deep:verdict",
    curves={"balanced": "portrait.theory_curves:mixtures"},
)

_STRAIGHT = replace(_LINE, forms=())
_TIED_STRAIGHT = replace(_STRAIGHT, many=False)
_SLOWED = replace(
    _LEVEL,
    labels="outcomes.adaptive:slowed_labels",
    verdict="outcomes.adaptive:slowed_verdict",
)
_SLOWED_DEEP = replace(_SLOWED, races=True)

# Several examples.
_LATE = "many_examples.log_clock:late_run"
_CHATTER = "many_examples.chatter:chatter_run"
_MANY = Regime(
    "outcomes.late_verdicts:labels",
    "outcomes.late_verdicts:by_late_run",
    solve="many_examples.engine:many_examples",
    runs={"any": _LATE},
    brief="many_examples.brief:brief_run",
    settled="outcomes.theorems:refused",
    scale_free=False,
)
_OWN_MANY = replace(
    _MANY,
    verdict="outcomes.late_verdicts:by_run_alone",
    runs={"any": "many_examples.own_clock:own_run"},
    brief="",
    known=False,
)
_MARGIN = replace(
    _MANY,
    verdict="outcomes.late_verdicts:by_line",
    finite="outcomes.late_verdicts:on_a_line",
)
_CONVEX = replace(_MARGIN, finite="outcomes.late_verdicts:by_convexity")
_GD_MANY = replace(
    _MANY,
    runs={"any": "many_examples.log_weights:smooth_run"},
    finite="outcomes.late_verdicts:by_descent",
)
_MINIMA: dict[str, Any] = {
    "falls": True,
    "glides": True,
    "rests": True,
    "surfaces": "many_examples.minima:MinimaSwitching",
}
_P_MANY = replace(_MANY, **_MINIMA)
_L2_MANY = replace(_GD_MANY, finite="", **_MINIMA)
_L1_MANY = replace(_MANY, rests=True)
_LINF_MANY = replace(_L1_MANY, dies=True)
_FADING = replace(
    _P_MANY,
    fades=True,
    runs={"any": "many_examples.fading_clock:fading_run"},
)
_RELATIVE = replace(_OWN_MANY, runs={"any": _LATE})
_RESCALED = replace(_RELATIVE, verdict="outcomes.late_verdicts:by_rescaled_margin")
_TIES: dict[str, Any] = {
    "system": "one_example.relative_ties:RelativeTies",
    "many": False,
    "smooth_off_axes": False,
}
_TIED_LEVEL = replace(_LEVEL, **_TIES)
_TIED_MIXED = replace(_MIXED, **_TIES)
_GD_CONVEX = replace(_CONVEX, norm=2)
_GD_MARGIN = replace(_GD_MANY, norm=1)
_L2_CONVEX = replace(_GD_CONVEX, rests=True)
_L2_MARGIN = replace(_L2_MANY, norm=1)
_LINF_CONVEX = replace(_MARGIN, norm=2)
_LINF_MARGIN = replace(_LINF_MANY, norm=1)

# Kind of rule: its rows at L = 1, 2, and 3 or more.
_ONE = {
    "GD": (_EVEN_LINE, _LINF, _LINF_DEEP),
    "l_1": (_TIED_LINE, _TIED, _TIED_DEEP),
    "1<p<2": (_LINE, _BALLS, _BALLS),
    "l_2": (_LINE, _L2, _L2_DEEP),
    "2<p<inf": (_LINE, _DYING, _DYING_DEEP),
    "l_inf": (_EVEN_LINE, _LINF, _LINF_DEEP),
    "unnormalised": (_STRAIGHT, _FREE, _FREE),
    "adaptive": (_STRAIGHT, _LEVEL, _MIXED),
    "adaptive l_1": (_TIED_STRAIGHT, _TIED_LEVEL, _TIED_MIXED),
    "adaptive l_inf": (_STRAIGHT, _SLOWED, _SLOWED_DEEP),
}
_SEVERAL = {
    "GD": (_GD_CONVEX, _GD_MARGIN, _GD_MANY),
    "l_1": (_MARGIN, _L1_MANY, _L1_MANY),
    "1<p<2": (_MARGIN, _P_MANY, _P_MANY),
    "l_2": (_L2_CONVEX, _L2_MARGIN, _L2_MANY),
    "2<p<inf": (_MARGIN, _FADING, _FADING),
    "l_inf": (_LINF_CONVEX, _LINF_MARGIN, _LINF_MANY),
    "unnormalised": (_CONVEX, _MANY, _MANY),
    "adaptive": (_RELATIVE, _RESCALED, _RELATIVE),
    "adaptive l_1": (_OWN_MANY, _OWN_MANY, _OWN_MANY),
    "adaptive l_inf": (_OWN_MANY, _OWN_MANY, _OWN_MANY),
}
# What holds of a kind at every depth: of one example, and of several.
_OWN_SCALE: dict[str, Any] = {"scale_free": False}
_ITERATED: dict[str, Any] = {
    "brief": "",
    "runs": {"auto": _CHATTER, "discrete": _CHATTER},
    "many": False,
    "smooth_off_axes": False,
}
_SLIDES = {"any": "many_examples.sliding_run:sliding_run", "discrete": _CHATTER}
_JUMPS: dict[str, Any] = _ITERATED | {"runs": _SLIDES, "slides": True}
_SMOOTHED = {"smoothed": "many_examples.smoothing:smoothed_run"}
_RELATIVE_SURFACES = {"surfaces": "many_examples.switching:RelativeSwitching"}
_KINDS: dict[bool, dict[str, dict[str, Any]]] = {
    False: {
        "GD": {"analytic": True, "system": _PATH.system},
        "l_2": {"analytic": True},
        "l_inf": {"many": False, "slides": True},
        "unnormalised": {"analytic": True} | _OWN_SCALE,
        "adaptive": _OWN_SCALE,
        "adaptive l_1": _OWN_SCALE,
        "adaptive l_inf": _OWN_SCALE,
    },
    True: {
        "GD": {"analytic": True},
        "l_1": _ITERATED,
        "l_2": {"analytic": True},
        "l_inf": _JUMPS | {"runs": _SLIDES | _SMOOTHED, "late": "smoothed"},
        "unnormalised": {"analytic": True},
        "adaptive l_1": _ITERATED,
        "adaptive l_inf": _JUMPS | _RELATIVE_SURFACES,
    },
}
TABLE = {
    (several, kind, depth): replace(row, **_KINDS[several].get(kind, {}))
    for several, kinds in ((False, _ONE), (True, _SEVERAL))
    for kind, rows in kinds.items()
    for depth, row in enumerate(rows, 1)
}
