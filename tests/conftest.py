"""What every test shares: no display, one thread, no deadlines, shapes checked at first calls."""

import importlib.util
import os
import signal

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import jaxtyping
import pytest
from hypothesis import settings

# Two shared cores make single timings noise; the suite has a budget as a whole instead.
settings.register_profile("flowsam", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("flowsam")


class _FirstCalls:
    """False for the first calls of every test, then True.

    Shapes need not be looked at a hundred thousand times in one run: that took half of the suite.
    """

    left = 0

    def __bool__(self) -> bool:
        self.left -= 1
        if self.left < 0:
            jaxtyping.config.jaxtyping_disable = True
        return self.left < 0


_FIRST_CALLS = _FirstCalls()


@pytest.fixture(autouse=True)
def _shapes_are_checked_in_the_first_calls():
    _FIRST_CALLS.left = 1000
    jaxtyping.config.jaxtyping_disable = _FIRST_CALLS


@pytest.fixture(autouse=True, scope="session")
def _an_interrupt_is_one_also_behind_a_shell():
    """A shell's job in the background ignores SIGINT, and its children with it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


NEEDS = {"flowsam.sweeps.conduct.sweep": "zarr"}  # doctest -> a library of its extra


def pytest_collection_modifyitems(items):
    """Skip doctests whose extra is not there."""
    for item in items:
        needed = NEEDS.get(item.name)
        if needed and importlib.util.find_spec(needed) is None:
            item.add_marker(pytest.mark.skip(reason=f"needs {needed}, of an extra"))
