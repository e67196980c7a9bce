"""The machine-learning reproducibility checklist: what it asks for, and where it is answered."""

from __future__ import annotations

__all__ = ["CHECKLIST"]

# (heading, what is asked, where it is answered: HTML; {...} is filled in by the report)
CHECKLIST = (
    (
        "Claims",
        "A clear statement of each claim",
        'The <a href="#verdicts">table of verdicts</a>.',
    ),
    (
        "Claims",
        "A complete proof",
        "derivations/NAME.py for each; every step asserted by SymPy, {undecided} left to numbers.",
    ),
    (
        "Claims",
        "Evidence that a wrong claim would be noticed",
        "A negative control for each claim; ten deliberate faults in the package, all caught by "
        "the tests (python -m tests.mutations).",
    ),
    ("Assumptions", "All of them, explicitly", "The line Assumes of each claim."),
    (
        "Assumptions",
        "Where they fail",
        "<code>flowsam limit</code> names the hypothesis that fails, or answers undecided; see "
        '<a href="#obstacles">obstacles and guesses</a>.',
    ),
    (
        "Model",
        "Mathematical setting and algorithm",
        'The <a href="#model">setting</a>.',
    ),
    (
        "Model",
        "Cost",
        "Seconds of each claim and figure in the tables; closed forms take no time steps.",
    ),
    (
        "Code",
        "Source, and how to install it",
        "README.md: two commands from a fresh clone.",
    ),
    (
        "Code",
        "Dependencies and versions",
        "setup.cfg; this page was made with {versions}.",
    ),
    ("Code", "One command for every number here", "<code>flowsam reproduce</code>."),
    (
        "Data",
        "Origin, size, what was left out",
        "Generated sets by formula and seed; digits (1,797 images) and breast cancer (569 rows) as "
        "scikit-learn bundles them; pixels left out are named in the run card.",
    ),
    (
        "Data",
        "Splits",
        "Test share 0.25, split seeds in the run card of fig_real_data.",
    ),
    ("Settings", "Every hyper-parameter", "The run card under each figure."),
    (
        "Settings",
        "Number of runs, seeds, variation",
        "20 random parameter sets a claim, 5 a negative control, the seed in the table of claims; "
        "figures with random sets show each set.",
    ),
    (
        "Compute",
        "Machine and time",
        "{machine}; claims {claims_seconds} s, figures {seconds} s.",
    ),
    ("Compute", "Accelerators", "None."),
    (
        "Licences",
        "Of the code and of the data",
        "flowsam: MIT. NumPy, SciPy, SymPy, scikit-learn: BSD-3-Clause; Matplotlib: its own, "
        "BSD-compatible. Digits and breast cancer: UCI repository, CC BY 4.0.",
    ),
)
