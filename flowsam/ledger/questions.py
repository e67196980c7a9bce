"""What the paper's public reviews asked for, and where this project answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flowsam.ledger import measures

__all__ = ["QUESTIONS", "Question"]


@dataclass(frozen=True)
class Question:
    """A question and its answer."""

    asked: str  # in our words
    answer: str  # a few sentences; what `measure` returns is filled in
    # claims and figures that carry the answer; it stands only where all are there
    shown_by: tuple[str, ...] = ()
    # takes the saved arrays of the figures, returns the numbers of the answer
    measure: Callable[[measures.Saved], dict[str, Any]] | None = None

    def answered(self, saved: measures.Saved) -> str:
        """Return the answer with its numbers; KeyError where a figure is missing."""
        return (
            self.answer.format(**self.measure(saved)) if self.measure else self.answer
        )


QUESTIONS = (
    Question(
        "Is there code, and what are the details of the experiments?",
        "The package is the code. Every figure has a run card, folded below it; its arrays "
        "are beside the picture, in figures/output.",
    ),
    Question(
        "Do the figures show the rescaled flow or the original one?",
        "Each run card says, from the result itself. Figures by clock: `{clocks}`. Both flows "
        "have the same path; only the time along it differs.",
        ("rescaled_clock",),
        measures.clocks,
    ),
    Question(
        "When may time be changed, and what is a blow-up at finite rescaled time?",
        "Always: the factor is positive. A finite rescaled blow-up time is original time "
        r"infinity, and what the flow has done by then is its limit. At $L = 3$, $\mu = (1, "
        r"1.3)$, $\rho = 0.5$, $\alpha = (1, 0.3)$ under l_inf-SAM that time is $\tau = "
        "{star}$.",
        ("rescaled_clock",),
        measures.blow_up,
    ),
    Question(
        "What do the other coordinates do when one blows up?",
        "From depth 3 on they freeze where they are at that moment: in the same run "
        r"$\beta_2$ ends at {frozen}, short of the value $\rho^3 = {rest}$ it would reach "
        "alone.",
        ("linf_deep",),
        measures.blow_up,
    ),
    Question(
        "Are positive initial weights a hidden assumption?",
        "Of the theorem, yes; here the limit is given for any real pair of weights, by a "
        r"conic. Of random pairs in $[-3\rho, 3\rho]^2$, {positive} of the positive ones "
        "escape and {any} of all. On the digits an all-positive start stands beside the "
        "aligned one, and there no pixel with negative entry can win.",
        ("linf_two_layer", "fig_linf_two_layer", "fig_digits_limits"),
        measures.signed_pairs,
    ),
    Question(
        r"Is the effect specific to SAM, and does it need a large $\rho$?",
        "Gradient flow stands beside SAM everywhere, and never shows it on one example. The "
        r"radius only sets the unit: for $\mu = (1, 2)$ uniform starts between ${low}\,\rho$ "
        r"and ${high}\,\rho$ lead with the minor coordinate, the same to {spread} for $\rho$ "
        "from 0.001 to 100.",
        ("gradient_flow_limit", "fig_rules_compared"),
        measures.radius_free,
    ),
    Question(
        "Do titles and text name the same norm?",
        "Yes. A figure whose title or caption names a rule that the run card below it, made "
        "by the runs, does not have is refused when it is drawn.",
    ),
    Question(
        "How were the two-class data generated?",
        "`{data}`, signed examples. That this is the paper's choice is a guess; formula and "
        "seed are in the run card, the examples in the saved arrays.",
        ("fig_many_examples",),
        measures.two_classes,
    ),
    Question(
        "What about several training examples?",
        "Flow, solvers and margins take any number of examples. On the two classes the major "
        r"feature's share of $\beta$ at $\log(1 + t) = {log_t}$ is {shares}.",
        ("fig_many_examples", "fig_real_data"),
        measures.two_classes,
    ),
    Question(
        "Where is gradient flow in the map of dominant coordinates?",
        "In a panel of its own. Under l_2-SAM another coordinate than the major one leads on "
        "{sam} of the map, under gradient flow at {gd} points.",
        ("fig_amplification_map",),
        measures.amplified_map,
    ),
    Question(
        "How does the loss fall?",
        r"It is drawn in original time. At depth 2, $\mu = (1, 2)$, $\log(1 + t) = {log_t}$, "
        "the log loss is: {losses}.",
        ("fig_loss", "rates"),
        measures.late_losses,
    ),
    Question(
        r"How fast do $\beta$ and the loss move in original time?",
        "At depth 2 and 3 the perturbed log loss is within {gap} of its predicted rate at "
        r"$\log(1 + t) = {log_t}$, and $\beta_1/\beta_2$ for $\mu = (1, 2)$ falls with "
        r"exponent {slopes} in $\log t$, where theory says $-1/2$.",
        ("rates", "fig_rates"),
        measures.depth_two_rates,
    ),
    Question(
        "What happens for l_2 beyond two layers?",
        r"The order of $\mu_j w_j^{{L-2}}$ never changes, and odd depths never collapse. At "
        r"$L = 3$, $\mu = (1, 2, 3)$, $\rho = 1$, $\alpha = {alpha}$ the leaders are {order}; "
        r"over all $\alpha$ drawn the last leader is feature {ends}.",
        ("l2_deep", "fig_l2_deep"),
        measures.deep_order,
    ),
    Question(
        "Which coordinate dominates at a given time?",
        r"Exactly: coordinates $j$ and $k$ swap when $\tau/A = \mu_j + \mu_k$. Just above the "
        r"critical scale of $\mu = {mu}$ the leaders are {order}, with switches at $\tau = "
        r"{times}$; there $\tau/A$ equals that to {error}.",
        ("l2_amplification_in_time", "fig_amplification_cones"),
        measures.leader_at,
    ),
    Question(
        "What does the limit say about a run of finite length?",
        r"Little: for $\mu = (1, 2)$, $\rho = 1$, 1 % above the critical scale, the major "
        r"coordinate has share {sam} of $\beta$ at $\tau = 3$ under l_2-SAM and {gd} under "
        "gradient flow, while the limits are features {sam_limit} and {gd_limit}.",
        ("finite_vs_infinite",),
        measures.two_limits,
    ),
)
