"""Perturbation rules: which point `theta_hat = theta + eps` SAM looks at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from flowsam.errors import InputError
from flowsam.inputs import keep, real_array, real_number, yes_or_no
from flowsam.shapes import Numbers, Thetas
from flowsam.signatures import QUIET, public

_PLAIN = (1e-250, 1e250)  # sums of squares that need no scaling
_STEEP = 1.05  # q <= 21: sums of |g|^q of 1e26 features stay above 1e-282
_OVER = (-2, -1)  # layers and features
KINDS = (
    *("GD", "l_1", "1<p<2", "l_2", "2<p<inf", "l_inf", "unnormalised"),
    *("adaptive", "adaptive l_1", "adaptive l_inf"),
)
_EVEN = 1e-14  # |w g| of a feature is the same in every layer, but for rounding


@dataclass(frozen=True)
class Perturbation:
    """The ascent step of SAM: the maximiser of `<eps, g>` over `||eps||_p <= rho`.

    eps = rho sign(g) |g|^(q-1) / ||g||_q^(q-1), 1/p + 1/q = 1, over all layers jointly;
    unnormalised SAM takes eps = rho g instead, adaptive SAM maximises over ||eps/|w| ||_p <= rho.
    All rules with rho = 0 are gradient flow, and equal.

    Parameters
    ----------
    p : float
        Norm of the ball, in [1, inf].
    rho : float
        Radius, in the units of the weights (unnormalised: weights per gradient; adaptive: a
        fraction of the weights); rho >= 0.
    normalised : bool
        False for unnormalised SAM, whose p is 2 by convention.
    adaptive : bool
        True for ASAM, whose step scales with each weight.

    Raises
    ------
    ValueError
        For p < 1, rho not in [0, inf), or unnormalised SAM that is adaptive or has another p.

    Examples
    --------
    >>> Perturbation(float("inf"), 0.5).epsilon(np.array([[3.0, -4.0]]))
    array([[ 0.5, -0.5]])
    >>> linf(0) == gradient_flow()
    True
    """

    p: float
    rho: float
    normalised: bool = True
    adaptive: bool = False
    # log t to which a run of several examples goes that decides a limit
    late: ClassVar[float] = 1e4

    def __post_init__(self) -> None:
        """Check the numbers; rho = 0 is stored one way for every rule."""
        p = real_number(self.p, "p")
        rho = real_number(self.rho, "rho")
        if not p >= 1:
            raise InputError(f"a norm needs p in [1, inf], got {p}; e.g. 2")
        if not 0 <= rho < math.inf:
            raise InputError(f"needs a finite number >= 0, got {rho}", of="rho")
        normalised = yes_or_no(self.normalised, "normalised") or not rho
        adaptive = yes_or_no(self.adaptive, "adaptive") and rho > 0
        if not normalised and (p != 2 or adaptive):
            raise InputError(f"unnormalised SAM has p = 2, not adaptive, got {p:g}")
        keep(self, p=p if rho else math.inf, rho=rho)
        keep(self, normalised=normalised, adaptive=adaptive)

    @property
    def name(self) -> str:
        """The word for captions: "GD", "l_inf-SAM", "l_2-SAM", ..., "unnormalised SAM"."""
        if not self.rho:
            return "GD"
        if not self.normalised:
            return "unnormalised SAM"
        norm = f"l_{'inf' if math.isinf(self.p) else format(self.p, 'g')}"
        if self.adaptive:
            return "ASAM" if self.p == 2 else f"{norm}-ASAM"
        return f"{norm}-SAM"

    def describe(self, radius: str = "") -> str:
        """Return the name with rho, or with what rho is where it varies."""
        if not self.rho > 0:  # GD, or a rule of the user's own
            return self.name
        return f"{self.name}, rho={radius or f'{self.rho:g}'}"

    def facts(self) -> dict[str, Any]:
        """Return name and numbers, ready for JSON."""
        facts = {"rule": self.name, "p": str(self.p), "rho": self.rho}
        adaptive = {"adaptive": True} if self.adaptive else {}
        return facts | {"normalised": self.normalised} | adaptive

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Perturbation:
        """Return the rule that gave `facts`."""
        about = (facts["normalised"], facts.get("adaptive", False))
        return cls(float(facts["p"]), facts["rho"], *about)

    def with_radius(self, rho: float) -> Perturbation:
        """Return the same rule with another radius."""
        if not self.rho > 0:
            raise InputError(
                "another radius needs a rule with rho > 0: at rho = 0 every rule is GD and has no "
                "p, and a rule of your own has no rho; pass linf(1), l2(1), lp(1, p=3), ..."
            )
        return replace(self, rho=rho)

    def gate(self, depth: int) -> float:
        """Return `rho L^(-1/p)`, by which each of L equal weights of a lone coordinate is moved."""
        if not self.normalised:
            raise InputError(
                "a gate needs a normalised rule: unnormalised steps vanish late"
            )
        return self.rho * depth ** (-1.0 / self.p)

    def radius_at(self, size: float) -> float:
        """Return the radius in the units of weights of a size: rho, of ASAM rho times it."""
        return self.rho * size if self.adaptive else self.rho

    @property
    def kind(self) -> str:
        """The family whose theorems hold, for `regimes`: one of `KINDS`, else "own".

        Examples
        --------
        >>> l2(1.0).kind, lp(1.0, p=3).kind, linf(0).kind
        ('l_2', '2<p<inf', 'GD')
        """
        if type(self).step is not Perturbation.step:
            return "own"
        if not self.rho:
            return "GD"
        if self.adaptive:
            jumps = {1.0: " l_1", math.inf: " l_inf"}
            return "adaptive" + jumps.get(self.p, "")
        if not self.normalised:
            return "unnormalised"
        known = {1.0: "l_1", 2.0: "l_2", math.inf: "l_inf"}
        return known.get(self.p, "1<p<2" if self.p < 2 else "2<p<inf")

    @property
    def perturbs(self) -> bool:
        """Whether there is an ascent step: rho > 0, or a rule of the user's own."""
        return bool(self.rho)

    @property
    def keeps_length(self) -> bool:
        """Whether ||eps|| is rho wherever there is a gradient; not for unnormalised SAM."""
        return bool(self.rho) and self.normalised

    @property
    def steep(self) -> bool:
        """Whether eps turns at a rate without bound where a gradient is 0: q < 2, that is p > 2."""
        return self.p > 2

    @property
    def round(self) -> bool:
        """Whether the ball has no edges and no corners, 1 < p < inf: eps jumps at g = 0 alone."""
        return 1 < self.p < math.inf

    @np.errstate(**QUIET)
    def epsilon(self, g: ArrayLike) -> Thetas:
        """Return the ascent step for gradients `g`.

        A tie of p = 1 shares the step equally (not in iterations: `iterated`); where a component of
        g is 0, eps is 0 there; at g = 0 every point of the ball is a maximiser and 0 is returned: a
        flow ends there.

        Parameters
        ----------
        g : array_like, shape (..., L, d)
            Gradients of the loss.

        Returns
        -------
        ndarray, shape (..., L, d)
            Error: a few ulp times q. Raises TypeError, ValueError for bad entries.

        Examples
        --------
        >>> l2(1.0).epsilon([[3.0, 4.0]])
        array([[0.6, 0.8]])
        """
        g = real_array(g, "g")
        if g.ndim < 2:
            raise InputError(f"g needs shape (..., L, d), got {g.shape}; a row a layer")
        return self.step(g)

    def sized(self, descent: Thetas, log_scale: Numbers) -> Thetas:
        """Return a direction with its size where the step depends on it: unnormalised SAM."""
        if self.normalised:
            return descent
        with np.errstate(over="ignore"):  # exponential loss at margins below -700
            return np.exp(log_scale)[..., None, None] * descent

    @property
    def cornered(self) -> bool:
        """Whether the ball has corners that steps jump between: l_1."""
        return self.kind == "l_1"

    @property
    def iterated(self) -> Perturbation:
        """The rule as iterations take it: where `cornered`, a tie goes to one component.

        Steps that share a tie stay on it and follow Utkin's solution; those to one corner chatter
        along it, which tends to Filippov's. At L >= 3 the two differ, and equal layers tie.
        """
        return _OneCorner(self.p, self.rho) if self.cornered else self

    def ascent(self, theta: Thetas, g: Thetas) -> Thetas:
        """Return the step at weights `theta` where the gradient is g: `|w| step(|w| g)` of ASAM."""
        if not self.adaptive:
            return self.step(g)
        size = np.abs(theta)
        return size * self.step(size * g)

    def step(self, g: Thetas) -> Thetas:
        """Return `epsilon(g)` without checking g."""
        if not self.rho:
            return np.zeros_like(g)
        if not self.normalised:
            return self.rho * g
        if math.isinf(self.p):
            return np.copysign(self.rho, g) * (g != 0)
        plain = g.ndim == 2 and _PLAIN[0] < (square := np.vdot(g, g)) < _PLAIN[1]
        if plain and self.p == 2:
            return g * (self.rho / math.sqrt(square))
        size = np.abs(g)
        if plain and self.p > _STEEP:
            size /= math.sqrt(square)
            raised = size ** (1.0 / (self.p - 1.0))
            norm = math.pow(np.vdot(raised, size), 1.0 / self.p)
            return np.copysign(raised, g) * (self.rho / norm)
        top = size.max(_OVER, keepdims=True)
        share = size / (top + (top == 0))
        if self.p == 1:
            largest = share >= 1 - _EVEN * self.adaptive
            count = largest.sum(_OVER, keepdims=True)
            return np.copysign(self.rho * largest / np.maximum(count, 1), g)
        raised = share ** (1.0 / (self.p - 1.0))  # q - 1
        # ||g||_q^(q-1) = (sum |g|^q)^(1/p), since (q - 1)/q = 1/p
        norm = (raised * share).sum(_OVER, keepdims=True) ** (1.0 / self.p)
        return np.copysign(raised, g) * (self.rho / (norm + (norm == 0)))


class _OneCorner(Perturbation):
    """l_1 whose ties go to their first component alone."""

    def step(self, g: Thetas) -> Thetas:
        """Return the step to the first corner among the largest components."""
        size = np.abs(g).reshape(*g.shape[:-2], 1, -1)
        first = size.argmax(axis=-1, keepdims=True) == np.arange(size.shape[-1])
        return super().step(np.where(first.reshape(g.shape), g, 0.0))


def gradient_flow() -> Perturbation:
    """Return the rule of gradient descent, with `rho = 0`: no perturbation.

    Returns
    -------
    Perturbation

    Examples
    --------
    >>> gradient_flow().name
    'GD'
    """
    return Perturbation(math.inf, 0.0)


@public
def linf(rho: float) -> Perturbation:
    """Return l_inf-SAM, `eps = rho sign(g)`.

    Parameters
    ----------
    rho : float
        Radius in the units of the weights.

    Returns
    -------
    Perturbation

    Examples
    --------
    >>> linf(1.0).name
    'l_inf-SAM'
    """
    return Perturbation(math.inf, rho)


@public
def l2(rho: float) -> Perturbation:
    """Return l_2-SAM, `eps = rho g / ||g||_2`, the rule used in practice.

    Parameters
    ----------
    rho : float
        Radius in the units of the weights.

    Returns
    -------
    Perturbation

    Examples
    --------
    >>> l2(0.1).p
    2.0
    """
    return Perturbation(2.0, rho)


@public
def lp(rho: float, *, p: float) -> Perturbation:
    """Return l_p-SAM for p in [1, inf].

    Parameters
    ----------
    rho : float
        Radius in the units of the weights.
    p : float
        Norm of the ball.

    Returns
    -------
    Perturbation

    Examples
    --------
    >>> lp(1.0, p=1).epsilon([[3.0, -4.0]])
    array([[ 0., -1.]])
    """
    return Perturbation(p, rho)


@public
def unnormalised(rho: float) -> Perturbation:
    """Return unnormalised SAM, `eps = rho g`.

    Parameters
    ----------
    rho : float
        Step of the ascent, in weights per unit of gradient.

    Returns
    -------
    Perturbation

    Examples
    --------
    >>> unnormalised(0.5).epsilon([[2.0, -4.0]])
    array([[ 1., -2.]])
    """
    return Perturbation(2.0, rho, normalised=False)


@public
def asam(rho: float, *, p: float = 2) -> Perturbation:
    """Return adaptive SAM: the best step with `||eps / |w| ||_p <= rho`.

    eps = rho |w| sign(g) (|w g| / ||w g||_q)^(q-1), so that every weight is moved by a fraction of
    itself and rescaling the layers changes nothing. With p = 1 the layers of a feature tie always,
    `w_l g_l = beta_j G_j`, and share the step, as for p -> 1+; an argmax over weights would pick
    one by rounding, another flow. Source: Kwon et al. 2021.

    Parameters
    ----------
    rho : float
        Radius, as a fraction of the weights.
    p : float
        Norm of the ball, in [1, inf].

    Returns
    -------
    Perturbation

    Examples
    --------
    >>> rule = asam(0.5)
    >>> rule.ascent(np.array([[3.0, 1.0]]), np.array([[1.0, 4.0]])), rule.name
    (array([[0.9, 0.4]]), 'ASAM')
    """
    return Perturbation(p, rho, adaptive=True)
