"""The three tests every claim has.

A theorem test is this, with its own check and control:

    CLAIM, SOURCE = "dual_norm", "definition"

    def check(rng): ...    # one random draw, asserts with the parameters in the message
    def control(rng): ...  # the check with a hypothesis broken: AssertionError at every draw

    def test_symbolic(): symbolic(CLAIM)
    def test_numeric(): numeric(check)
    def test_negative_control(): negative_control(control)

`check` and `control` run at 20 and 5 draws here and, with fresh seeds, in `flowsam verify`; 50 ms
a draw keeps the suite within its budget. These files import no pytest: `verify` runs without it.
"""

import importlib.util
import unittest
from pathlib import Path

from flowsam.ledger.evidence import run_check, run_control, run_derivation

DERIVATIONS = Path(__file__).parents[2] / "derivations"


def needs(library):
    """Skip a test where the library of an extra is not installed."""
    if importlib.util.find_spec(library) is None:
        raise unittest.SkipTest(f"needs {library}, of an extra")


def symbolic(claim):
    """Run the claim's derivation: every step asserts."""
    run_derivation(DERIVATIONS / f"{claim}.py")


def numeric(check):
    """Run the check at 20 draws of a fixed seed."""
    run_check(check, seed=2026)


def negative_control(control):
    """Demand that the broken check fails at each of 5 draws."""
    run_control(control, seed=2026)
