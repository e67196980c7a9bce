"""The explorer's formulas, written once: what the page displays is what it executes.

SymPy writes them as JavaScript that runs and as MathML that is read.

Derivations: linf_deep, linf_two_layer, l2_two_layer, l2_critical_scale.
"""

from dataclasses import dataclass

import sympy as sp
from sympy.codegen.cfunctions import hypot
from sympy.printing.mathml import MathMLPresentationPrinter

ALPHA, MU, RHO, TAU, N = sp.symbols("alpha mu rho tau N", positive=True)
L = sp.Symbol("L", integer=True, positive=True)
A, BETA, C, E, K, M, Q = sp.symbols("A beta c e k m q", real=True)
R, S, U, V, W, X = sp.symbols("r s u v w x", real=True)
U_DOT, W_DOT, A_DOT, N_DOT = (sp.Derivative(one, TAU) for one in (U, W, A, N))
M_HAT, SLOPE, SCORE, REST, END = sp.symbols("mhat xdot score tau_0 tau_end")
_Z = ALPHA - RHO
_STEP = RHO * MU / N


@dataclass(frozen=True)
class Formula:
    """One formula: arguments in the order of the function, left side as it is read."""

    left: sp.Expr
    arguments: tuple[sp.Symbol, ...]
    right: sp.Expr


FORMULAS = {
    # balanced starts of GD and l_inf, one coordinate
    "velocity": Formula(W_DOT, (W, MU, RHO, L), MU * (W - RHO) ** (L - 1)),
    "size1": Formula(W, (ALPHA, MU, RHO, TAU), ALPHA + MU * TAU),
    "size2": Formula(W, (ALPHA, MU, RHO, TAU), RHO + _Z * sp.exp(MU * TAU)),
    "size": Formula(
        W,
        (ALPHA, MU, RHO, TAU, L),
        RHO + _Z * (1 - (L - 2) * MU * TAU * _Z ** (L - 2)) ** (-1 / (L - 2)),
    ),
    "blowUp": Formula(END, (ALPHA, MU, RHO, L), 1 / ((L - 2) * MU * _Z ** (L - 2))),
    "rest2": Formula(REST, (ALPHA, MU, RHO), sp.log(RHO / (RHO - ALPHA)) / MU),
    "rest": Formula(
        REST,
        (ALPHA, MU, RHO, L),
        ((RHO - ALPHA) ** (2 - L) - RHO ** (2 - L)) / ((L - 2) * MU),
    ),
    "score": Formula(SCORE, (ALPHA, MU, RHO, L), MU * _Z ** (L - 2)),
    "margin": Formula(M_HAT, (W, MU, RHO, L), MU * (W - RHO) ** L),
    # l_2 at L = 2, any signs: s = u + v, e = u - v
    "push2": Formula(U_DOT, (U, V, MU, RHO, N), MU * (V - RHO * MU * U / N)),
    "grow": Formula(U + V, (S, MU, TAU, A), S * sp.exp(MU * TAU - MU**2 * A)),
    "fade": Formula(U - V, (E, MU, TAU, A), E * sp.exp(-MU * TAU - MU**2 * A)),
    "rate": Formula(A_DOT, (RHO, N), RHO / N),
    "square": Formula(N**2, (S, E, MU), MU**2 * (S**2 + E**2) / 2),
    "turn": Formula(
        N * N_DOT,
        (S, E, MU, RHO, N),
        MU**3 * (S**2 * (1 - _STEP) - E**2 * (1 + _STEP)) / 2,
    ),
    "product": Formula(BETA, (S, E), (S**2 - E**2) / 4),
    "margin2": Formula(
        M_HAT,
        (S, E, MU, RHO, N),
        MU * ((S * (1 - _STEP)) ** 2 - (E * (1 + _STEP)) ** 2) / 4,
    ),
    # the separatrix of l_2: x = log w_1, q = log(w_2/w_1), m = mu_2/mu_1, r = rho mu_1/N
    "pull": Formula(R, (X, Q, M), sp.exp(-X) / hypot(1, M * sp.exp(Q))),
    "bend": Formula(SLOPE, (R, M), (1 - R) / ((M - 1) * (1 - (1 + M) * R))),
    # l_inf at L = 2 in one quadrant of (u, v): c and k are where s and e would rest
    "total": Formula(U + V, (S, MU, TAU, C), C + (S - C) * sp.exp(MU * TAU)),
    "difference": Formula(U - V, (E, MU, TAU, K), K + (E - K) * sp.exp(-MU * TAU)),
    "push": Formula(U_DOT, (U, V, MU, RHO), MU * (V - RHO * sp.sign(U))),
    "excess": Formula(
        X,
        (U, V, RHO),
        sp.Abs(U + V) * (2 * RHO + sp.Abs(U) + sp.Abs(V)) - 8 * RHO**2,
    ),
    # ASAM, p = 2, at L = 2, with Q = sum of (mu beta)^2
    "lean": Formula(R, (BETA, MU, Q), MU * BETA / sp.sqrt(2 * Q)),
    "pace": Formula(W_DOT / W, (MU, RHO, R), MU * (1 - RHO * R)),
    "margin3": Formula(M_HAT, (BETA, MU, RHO, R), MU * BETA * (1 - RHO * R) ** 2),
}
_SHOWN = {
    "power": ("velocity", "size1"),
    "power2": ("velocity", "size2", "rest2"),
    "power3": ("velocity", "size", "blowUp", "rest"),
    "l2": ("push2", "rate", "square", "grow", "fade"),
    "asam": ("pace", "lean"),
    "layers": ("push", "total", "difference", "excess"),
}


_READ = {
    "&ExponentialE;": "e",
    "&dd;": "d",
    "<mo>&InvisibleTimes;</mo>": "",
    "<mo>-</mo>": "<mo>−</mo>",
}


# functions of C99 that SymPy's printer does not know
_OWN = {name: f"Math.{name}" for name in ("expm1", "log1p", "hypot")}


class _MathML(MathMLPresentationPrinter):
    """Presentation MathML: what is subtracted stands last."""

    def _as_ordered_terms(
        self,
        expr: sp.Expr,
        order: str | None = None,
    ) -> list[sp.Expr]:
        """Put terms with a minus after the others."""
        terms = super()._as_ordered_terms(expr, order)
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())


def javascript(expression: sp.Expr) -> str:
    """Return an expression of JavaScript."""
    return sp.jscode(expression, user_functions=_OWN)


def mathml(left: sp.Expr, right: sp.Expr) -> str:
    """Return `left = right` as a block of MathML for HTML."""
    printer = _MathML()
    sides = (printer.doprint(side) for side in (left, right))
    text = f'<math display="block"><mrow>{"<mo>=</mo>".join(sides)}</mrow></math>'
    for entity, shown in _READ.items():
        text = text.replace(entity, shown)
    return text


def script() -> str:
    """Return the formulas as one object of JavaScript's functions."""
    lines = [
        f"  {name}: ({', '.join(map(str, one.arguments))}) => {javascript(one.right)},"
        for name, one in FORMULAS.items()
    ]
    return "const F = {\n" + "\n".join(lines) + "\n};\n"


def displayed() -> dict[str, str]:
    """Return the MathML of the formulas that a plane shows, by rule."""
    return {
        rule: "".join(
            mathml(FORMULAS[name].left, FORMULAS[name].right) for name in names
        )
        for rule, names in _SHOWN.items()
    }
