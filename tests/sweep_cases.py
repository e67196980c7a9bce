"""Functions that the sweeps of the tests measure; workers import them by name."""

import os
import time
from pathlib import Path

LOG = "FLOWSAM_TEST_LOG"  # the file in which `noted` counts its calls
BROKEN = "FLOWSAM_TEST_BROKEN"  # a file that makes `fragile` fail while it exists


def noted(flow, theta0):
    """Two numbers; one line in the log for each call, in one write."""
    with open(os.environ[LOG], "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {flow.perturbation.rho!r} {theta0[0, 0]!r}\n")
    time.sleep(0.002)
    return [theta0.sum() / 3, flow.perturbation.rho**0.5]


def fragile(flow, theta0):
    """Fails at rho = 2 as long as the file of BROKEN is there."""
    if flow.perturbation.rho == 2 and Path(os.environ[BROKEN]).exists():
        raise RuntimeError("no luck at rho = 2")
    with open(os.environ[LOG], "a", encoding="utf-8") as file:
        file.write("call\n")
    return theta0[0, 0]


def ragged(flow, _):
    """Another shape for another depth of rho: what an array cannot hold."""
    return [0.0] * int(flow.perturbation.rho)


def state(flow, theta0):
    """A function whose name is that of an array of every store."""
    return 0.0


def leaves(flow, theta0):
    """Ask the process to end, as a library might: an error of its cell."""
    raise SystemExit(3)


def cheap(flow, theta0):
    """Cost nothing."""
    return theta0[0, 0]


def busy(flow, theta0):
    """Keep a core busy for 20 ms, and return a number that depends on the cell alone."""
    end = time.process_time() + 0.02
    while time.process_time() < end:
        pass
    return flow.perturbation.rho * theta0.sum()


def waiting(flow, theta0):
    """Wait 20 ms without a core, which shows what processes gain where cores are not free."""
    time.sleep(0.02)
    return flow.perturbation.rho * theta0.sum()


def mortal(flow, theta0):
    """Kill the worker at the first sight of rho = 1, and never again."""
    flag = Path(os.environ[BROKEN])
    time.sleep(0.02)
    if flow.perturbation.rho == 1 and flag.exists():
        flag.unlink()
        os.kill(os.getpid(), 9)
    return flow.perturbation.rho * theta0.sum()
