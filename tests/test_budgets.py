"""What one example may cost, in processor time of a process of its own: least of several runs."""

import json
import subprocess
import sys

import pytest

MEASURE = """
import json, resource, sys, time
import numpy as np
from flowsam import Flow, balanced, linf, phase_portrait, single_example, solve

def seconds(call, repeat=5):
    spent = []
    for _ in range(repeat):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return min(spent)

flow, start = Flow(single_example([1, 2]), linf(1.0)), balanced([1.5, 0.6], 2)
found = {
    f"point of {n}": seconds(lambda: solve(flow, start, tau_end=3, save_at=n)) / n
    for n in (100, 10_000)
}
x = np.linspace(1e-3, 2, 2000)
found["portrait"] = seconds(lambda: phase_portrait(flow, x, x))
try:  # its own peak: that of getrusage begins with the process that started this one
    lines = open("/proc/self/status").read().splitlines()
    found["MB"] = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
except OSError:
    found["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def spent():
    run = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_a_closed_form_takes_microseconds_a_point(spent):
    assert spent["point of 100"] < 2e-5 and spent["point of 10000"] < 2e-6, spent


def test_four_million_limits_take_half_a_second_and_400_megabytes(spent):
    assert spent["portrait"] < 0.5 and spent["MB"] < 400, spent
