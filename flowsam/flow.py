"""The flow: data, a perturbation rule and a loss, and the velocity they give a start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from flowsam.data import Data
from flowsam.errors import InputError, InputTypeError
from flowsam.inputs import keep
from flowsam.losses import (
    LOSSES,
    Loss,
    check_slopes,
    log_mean_exp,
    logistic,
    shares_and_mean,
)
from flowsam.network import checked_theta, other_products
from flowsam.own_rule import as_rule
from flowsam.perturbations import Perturbation
from flowsam.shapes import Float, Numbers, Theta, Thetas, Vector
from flowsam.signatures import QUIET

# of the theorems
_EQUATION = ("descent", "pull", "perturbed", "field", "log_lambda", "rates")
_QUIET = QUIET | {"invalid": "ignore"}


@dataclass(frozen=True)
class Flow:
    """Continuous-time SAM on an L-layer linear diagonal network.

    theta' = -grad Lo(theta + eps(theta)), Lo(theta) = mean_i ell(<beta(theta), z_i>).

    Parameters
    ----------
    data : Data
        Signed examples z, shape (n, d).
    perturbation : Perturbation or callable
        Gradient flow, l_inf, l_2, any l_p, or unnormalised; or a rule of your own, the function
        from gradients of the loss (..., L, d) to ascent steps, or an object with such a `step`.
    loss : Loss
        `logistic`, `exponential`, or your own that decreases with the margin.

    Notes
    -----
    The gradient is the closed form SymPy derives for one coordinate, broadcast over d, examples
    and batches. Derivations: derivations/sam_gradient.py, derivations/rescaled_clock.py.
    Source: arXiv:2603.08290, equation (2).

    Examples
    --------
    >>> from flowsam.data import single_example
    >>> from flowsam.perturbations import linf
    >>> flow = Flow(single_example([1.0, 2.0]), linf(1.0))
    >>> flow.field(np.array([[1.5, 0.5], [1.5, 0.5]]))
    array([[ 0.5, -1. ],
           [ 0.5, -1. ]])
    """

    data: Data
    perturbation: Perturbation
    loss: Loss = field(default=logistic)
    own_field: ClassVar[bool] = False

    def __init__(self, data: Data, perturbation: object, loss: Loss = logistic) -> None:
        """Take any rule; what is none is refused below."""
        keep(self, data=data, perturbation=perturbation, loss=loss)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Say which noun is missing where words or arrays were passed."""
        keep(self, perturbation=as_rule(self.perturbation))
        nouns = {
            "data": (Data, "single_example(mu)"),
            "perturbation": (Perturbation, "linf(rho)"),
            "loss": (Loss, "logistic"),
        }
        for name, (noun, maker) in nouns.items():
            if not isinstance(given := getattr(self, name), noun):
                kind = f"{noun.__name__}, got {type(given).__name__}"
                raise InputTypeError(f"Flow needs {name} to be a {kind}; e.g. {maker}")
        if not self.loss.known:
            check_slopes(self.loss)

    def __init_subclass__(cls) -> None:
        """Note whether a subclass has another field than the package's."""
        cls.own_field = any(getattr(cls, x) is not getattr(Flow, x) for x in _EQUATION)

    @property
    def kind(self) -> str:
        """The kind of its rule for `regimes`; "own" where the field is."""
        return "own" if self.own_field else self.perturbation.kind

    @property
    def rho(self) -> float:
        """The radius of the rule."""
        return self.perturbation.rho

    @property
    def mu(self) -> Vector:
        """The one example, or a ValueError that says how many there are."""
        if self.data.z.shape[0] != 1:
            raise InputError(
                f"this needs one example, got n = {self.data.z.shape[0]}; see Data"
            )
        return self.data.z[0]

    def checked(self, theta: ArrayLike) -> Thetas:
        """Return `theta` as float64 of a shape that fits the data, or raise."""
        return checked_theta(theta, self.data.z.shape[1])

    def one_start(self, theta: ArrayLike, verb: str, hint: str) -> Theta:
        """Return one checked start (L, d), or say that a verb takes no more."""
        start = self.checked(theta)
        if start.ndim != 2:
            needs = f"{verb} takes one start (L, d)"
            raise InputError(f"{needs}, got {start.shape}; {hint}")
        return start

    def descent(self, theta: Thetas) -> tuple[Thetas, Numbers]:
        """Return the direction and the log of the scale of `-grad Lo(theta)`.

        -grad_{w^(l)} Lo = Lambda * (sum_i q_i z_i) * prod_{k != l} w^(k), with
        Lambda = mean_i |ell'(m_i)| and q_i = |ell'_i| / sum_k |ell'_k|, a log-softmax shifted
        by its largest entry: nothing underflows at any margin.

        Parameters
        ----------
        theta : ndarray, shape (..., L, d)
            Weights.

        Returns
        -------
        direction : ndarray, shape (..., L, d)
            `(sum_i q_i z_i) * prod_{k != l} w^(k)`.
        log_scale : ndarray, shape (...)
            `log Lambda(theta)`.

        Examples
        --------
        >>> from flowsam.data import single_example
        >>> from flowsam.perturbations import gradient_flow
        >>> flow = Flow(single_example([1e3]), gradient_flow())
        >>> flow.descent(np.array([[10.0], [10.0]]))
        (array([[10000.],
               [10000.]]), array(-100000.))
        """
        from flowsam.symbolic import products  # closed forms need no SymPy

        others = products(theta.shape[-2])(theta)
        pull, log_scale = self.pull(theta)
        return pull[..., None, :] * others, log_scale

    def pull(
        self, theta: Thetas
    ) -> tuple[Float[np.ndarray, "*b d"], Float[np.ndarray, "*b"]]:
        """Return `sum_i q_i z_i` and `log Lambda`, both at `theta` as given."""
        z = self.data.z
        log_slopes = self.loss.log_slope(np.prod(theta, axis=-2) @ z.T)
        if z.shape[0] == 1:
            return np.broadcast_to(z[0], theta.shape[:-2] + z.shape[1:]), log_slopes[
                ..., 0
            ]
        shares, log_mean = shares_and_mean(log_slopes)
        return shares @ z, log_mean

    @np.errstate(**_QUIET)
    def perturbed(self, theta: Thetas) -> Thetas:
        """Return `theta_hat = theta + eps(grad Lo(theta))`; zero components get no step.

        nan where infinite weights leave the step open.
        """
        rule = self.perturbation
        if not rule.perturbs:
            return theta
        if self.own_field:
            descent, log_scale = self.descent(theta)
        else:  # the same, and a closed form needs no SymPy
            pull, log_scale = self.pull(theta)
            descent = pull[..., None, :] * other_products(theta)
        return theta + rule.ascent(theta, -rule.sized(descent, log_scale))

    @np.errstate(**_QUIET)
    def field(self, theta: ArrayLike) -> Thetas:
        """Return the rescaled velocity `d theta / d tau`, with `d tau = Lambda(theta_hat) dt`.

        The path is that of the original flow; only time is another. For one example it is
        `mu * prod_{k != l} w_hat^(k)`, free of the loss. On a switching surface of l_inf and on
        ties of l_1 the solvers take over.

        Parameters
        ----------
        theta : array_like, shape (..., L, d)
            Weights; float64 of a fitting shape is taken without a look at its entries.

        Returns
        -------
        ndarray, shape (..., L, d)
            nan where margins of several examples leave the range of doubles.

        Raises
        ------
        TypeError, ValueError
            For bad entries or a shape that does not fit the data.
        """
        theta = self.fitting(theta)
        return self.descent(self.perturbed(theta))[0]

    def fitting(self, theta: ArrayLike) -> Thetas:
        """Return `theta` as it is where type and shape fit, else `checked(theta)`."""
        # a subclass may have a mask
        if type(theta) is np.ndarray and theta.dtype == np.float64 and theta.ndim > 1:
            if theta.shape[-1] == self.data.z.shape[1] and theta.shape[-2]:
                return theta
        return self.checked(theta)

    def rates(self, theta: Thetas) -> tuple[Thetas, Numbers]:
        """Return `field` and `log_lambda` by one evaluation, those of a subclass by its own."""
        if self.own_field:
            return self.field(theta), self.log_lambda(theta)
        return self.descent(self.perturbed(theta))

    def log_lambda(self, theta: Thetas) -> Numbers:
        """Return `log Lambda(theta_hat)`, the log of the speed of the rescaled clock, d tau/dt."""
        return self.pull(self.perturbed(theta))[1]

    @np.errstate(**_QUIET)
    def velocity(self, theta: ArrayLike) -> Thetas:
        """Return the velocity in original time, `-grad Lo(theta_hat)`.

        Parameters
        ----------
        theta : array_like, shape (..., L, d)
            Weights.

        Returns
        -------
        ndarray, shape (..., L, d)
            Underflows where the true value does (margins beyond 745); `field` never does.

        Raises
        ------
        TypeError, ValueError
            For bad entries or a shape that does not fit the data.

        Examples
        --------
        >>> from flowsam.data import single_example
        >>> from flowsam.perturbations import gradient_flow
        >>> Flow(single_example([1.0]), gradient_flow()).velocity([[0.0], [2.0]])
        array([[1.],
               [0.]])
        """
        direction, log_scale = self.rates(self.checked(theta))
        return np.exp(log_scale)[..., None, None] * direction

    @np.errstate(**_QUIET)
    def log_loss(self, theta: Thetas) -> Numbers:
        """Return `log Lo(theta)` at the weights themselves, finite at every margin."""
        margins = np.prod(theta, axis=-2) @ self.data.z.T
        return log_mean_exp(self.loss.log_value(margins))

    def facts(self) -> dict[str, Any]:
        """Return rule, loss and data by their names and numbers, ready for JSON."""
        own = {"kind": "own"} if self.kind == "own" else {}
        names = {"loss": self.loss.name, "data": self.data.name}
        return self.perturbation.facts() | own | names

    @classmethod
    def of(
        cls, facts: Mapping[str, Any], z: ArrayLike, features: Iterable[str] = ()
    ) -> Flow:
        """Return the flow that gave `facts`, with its examples z (n, d) and their names.

        Examples
        --------
        >>> from flowsam import l2, single_example
        >>> flow = Flow(single_example([1.0, 2.0]), l2(0.5))
        >>> Flow.of(flow.facts(), flow.data.z).describe() == flow.describe()
        True
        """
        if facts.get("kind") == "own" or facts["loss"] not in LOSSES:
            raise InputError(
                f"the rule ({facts['rule']}), loss ({facts['loss']}) or field is one of the "
                "user's own, which no file holds; run the flow again"
            )
        data = Data(z, facts["data"], features)
        return cls(data, Perturbation.of(facts), LOSSES[facts["loss"]])

    def describe(self, radius: str = "") -> str:
        """Return one line for captions: rule, rho (or `radius`, where it varies), loss, data."""
        data = self.data.name or f"n={self.data.z.shape[0]}, d={self.data.z.shape[1]}"
        rule = self.perturbation.describe(radius)
        return f"{rule}, {self.loss.name} loss, {data}"
