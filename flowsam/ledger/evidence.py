"""Evidence for a claim: a proof to execute, a check at random draws, a control that must fail."""

import contextlib
import io
import linecache
import runpy
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.random import default_rng

DRAWS = 20
CONTROL_DRAWS = 5


def run_derivation(path: Path) -> dict[str, Any]:
    """Execute a derivation from top to bottom; its asserts are the proof."""
    with contextlib.redirect_stdout(io.StringIO()):
        return runpy.run_path(str(path), run_name="derivation")


def run_check(check: Callable, *, seed: int = 0, draws: int = DRAWS) -> None:
    """Assert a claim at `draws` random parameter sets."""
    for draw in range(draws):
        try:
            check(default_rng((seed, draw)))
        except AssertionError as error:
            words = f"seed {seed}, draw {draw}: {complaint(error)}"
            raise AssertionError(words) from error


def run_control(
    control: Callable,
    *,
    seed: int = 0,
    draws: int = CONTROL_DRAWS,
) -> None:
    """Assert that a check with a broken hypothesis fails at every draw."""
    for draw in range(draws):
        try:
            control(default_rng((seed, draw)))
        except AssertionError:
            continue
        raise AssertionError(f"the negative control passed at seed {seed}, draw {draw}")


def complaint(error: BaseException) -> str:
    """Return an error in one line: its message, or the failing source line where it has none."""
    if str(error):
        return f"{type(error).__name__}: {error}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    line = linecache.getline(last.filename, last.lineno or 0).strip()
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {line}"
