"""What the paper's public reviews asked for, and where this project answers it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["QUESTIONS", "Question"]


@dataclass(frozen=True)
class Question:
    """A question and its answer.

    Parameters
    ----------
    asked : str
        In our words.
    answer : str
        One or two sentences.
    shown_by : tuple of str
        The claims and figures that carry the answer; it stands only where all of them are there.
    """

    asked: str
    answer: str
    shown_by: tuple[str, ...] = ()


QUESTIONS = (
    Question(
        "Is there code, and what are the details of the experiments?",
        "The package is the code. Every figure has a run card with clock, rule, radius, depth, "
        "data, start, method, seconds and versions, and its arrays are saved beside it.",
    ),
    Question(
        "Do the figures show the rescaled flow or the original one?",
        "The clock is part of every result and every caption is made from the result. Both flows "
        "have the same path; only the time along it differs.",
        ("rescaled_clock",),
    ),
    Question(
        "When may time be changed, and what is a blow-up at finite rescaled time?",
        "Always: the factor is positive. A finite rescaled blow-up time is original time infinity, "
        "and what the flow has done by then is its limit.",
        ("rescaled_clock",),
    ),
    Question(
        "What do the other coordinates do when one blows up?",
        "From depth 3 on they freeze where they are at that moment.",
        ("linf_deep", "fig_linf_deep"),
    ),
    Question(
        "Are positive initial weights a hidden assumption?",
        "At depth 2 the limit is given for any real pair of weights: a conic separates escape "
        "from collapse. On the digits an all-positive start stands beside the aligned one, and "
        "there no pixel with negative entry can win.",
        ("linf_two_layer", "fig_linf_two_layer", "fig_digits_limits"),
    ),
    Question(
        "Is the effect specific to SAM?",
        "Gradient flow stands beside SAM, from the same start: at depth 2 it ends at the dominant "
        "coordinate from every positive start, l_inf-SAM does not.",
        ("gradient_flow_limit", "fig_rules_compared"),
    ),
    Question(
        "Do titles and text name the same norm?",
        "Titles and captions take the rule's name from the run that made the arrays.",
    ),
    Question(
        "How were the two-class data generated?",
        "By two Gaussian classes whose formula and seed are in the run card; that this is the "
        "paper's choice is a guess.",
        ("fig_many_examples",),
    ),
    Question(
        "What about several training examples?",
        "Flow, solvers and margins take any number of examples.",
        ("fig_many_examples", "fig_real_data"),
    ),
    Question(
        "Where is gradient flow in the map of dominant coordinates?",
        "In a panel of its own beside the map of l_2-SAM.",
        ("fig_amplification_map",),
    ),
    Question(
        "How does the loss fall?",
        "Losses are drawn in original time, and their rates are derived for each depth and rule.",
        ("fig_loss", "rates"),
    ),
    Question(
        "What happens for l_2 beyond two layers?",
        "The order of mu_j w_j^(L-2) never changes, and odd depths never collapse.",
        ("l2_deep", "fig_l2_deep"),
    ),
    Question(
        "Which coordinate dominates at a given time?",
        "Exactly: coordinates j and k swap when tau / A = mu_j + mu_k.",
        ("l2_amplification_in_time", "fig_amplification_cones"),
    ),
)
