"""Importing flowsam is free, and its command line answers at once."""

import os
import subprocess
import sys

import pytest

import flowsam

HEAVY = ("numpy", "scipy", "sympy", "matplotlib")


def fresh(code):
    """What a new interpreter prints."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_import_loads_nothing_heavy():
    code = f"import sys, flowsam, flowsam.cli; print([m for m in {HEAVY} if m in sys.modules])"
    assert fresh(code) == "[]"


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from flowsam.cli import main; main(['--help']); main(['simulate', '--help']); "
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    assert fresh(code).endswith("[]")


def test_help_answers_in_a_third_of_a_second():
    """Processor time of the process, best of five: the machine may be busy with other things."""

    def seconds(code):
        before = os.times()
        fresh(code)
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4])

    ask = "from flowsam.cli import main; main(['--help'])"
    bare = min(seconds("pass") for _ in range(5))
    assert min(seconds(ask) for _ in range(5)) - bare < 0.3


def test_every_public_name_loads_once():
    for name in flowsam.__all__:
        assert getattr(flowsam, name) is getattr(flowsam, name)
    assert set(flowsam.__all__) == set(dir(flowsam))
    assert len(flowsam.__all__) <= 33


def test_unknown_name_says_so():
    with pytest.raises(AttributeError, match="no attribute 'sharpness'; see dir"):
        flowsam.sharpness  # noqa: B018
