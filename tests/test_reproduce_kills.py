"""`flowsam reproduce` stopped at any moment: no process stays, no file is half, and it goes on."""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.test_sweep_kills import alive, until
from tests.test_sweep_survival import ROOT

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="asks /proc who is alive"
)
CLAIMS = ("dual_norm", "rescaled_clock")
FIGURE = '''"""A figure that takes its time.

Claim: dual_norm. Takes: 1 s.

What it shows.
"""

import os
import time

import matplotlib.pyplot as plt
import numpy as np

FAST = {}


def compute():
    with open(os.environ["FLOWSAM_TEST_LOG"], "a", encoding="utf-8") as log:
        log.write(f"{os.getpid()}\\n")
    time.sleep(0.3)
    return {"x": np.arange(1000.0), "card": "{}"}


def draw(x):
    figure, axes = plt.subplots()
    axes.plot(x)
    return figure
'''


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A source checkout with two claims and eight small figures."""
    source = tmp_path / "checkout"
    for folder in ("derivations", "tests/theorems", "figures/output"):
        (source / folder).mkdir(parents=True)
    names = [f"derivations/{name}.py" for name in CLAIMS]
    names += [f"tests/theorems/test_{name}.py" for name in CLAIMS]
    names += ["derivations/README.md", "README.md", "tests/theorems/ledger.py", "tests/__init__.py"]
    names += [str(path.relative_to(ROOT)) for path in (ROOT / "figures").glob("[_a-z]*.py")]
    for name in names:
        if "fig_" not in name:
            shutil.copy(ROOT / name, source / name)
    for letter in "abcdefgh":
        (source / f"figures/fig_{letter}.py").write_text(FIGURE)
    monkeypatch.setenv("FLOWSAM_TEST_LOG", str(tmp_path / "log"))
    (tmp_path / "log").touch()
    return source


def started(source, log):
    """A run that is at work, and who works on it."""
    before = len(log.read_text().split())
    command = [sys.executable, "-m", "flowsam", "reproduce", "--source", str(source), "--fast"]
    with open(log.with_name("said"), "w", encoding="utf-8") as said:
        run = subprocess.Popen(
            command, stdout=said, stderr=said, start_new_session=True, cwd=source
        )
    until(lambda: run.poll() is not None or len(log.read_text().split()) > before)
    return run


@pytest.mark.long
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_leaves_nothing_and_goes_on(checkout, sent):
    log, rng = checkout.with_name("log"), random.Random(int(sent))
    output = checkout / "figures" / "output"
    for _ in range(3):
        run = started(checkout, log)
        until(lambda: False, rng.uniform(0, 0.4))
        if run.poll() is None:
            os.killpg(run.pid, sent) if sent == signal.SIGINT else run.send_signal(sent)
        run.wait(60)
        workers = {int(pid) for pid in log.read_text().split()}
        assert until(lambda: not any(map(alive, workers)), 20), "a worker stays"  # noqa: B023
        for file in output.glob("*.npz"):
            assert np.load(file)["x"].size == 1000
        assert not (checkout / "report.html").exists() or run.returncode == 0
    said = log.with_name("said")
    assert started(checkout, log).wait(200) == 0, said.read_text()
    assert "8 of 8 figures" in said.read_text() and "2 of 2 claims pass" in said.read_text()
    assert not [*output.glob(".*.partial")]
    assert len(log.read_text().split()) <= 8 + 3 * 2, "what is finished is kept"
    assert (checkout / "report.html").stat().st_size > 10_000
