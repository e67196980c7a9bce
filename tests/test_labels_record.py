"""What was recorded once is compared with, also with the source of an earlier revision."""

import subprocess
import sys

import numpy as np
import pytest

from tests import labels_record
from tests.benchmarks.compare import HERE

FEW = {"labels": 100, "slow": 10, "runs": 12, "verdicts": 12, "planes": 0}


@pytest.mark.skipif(not (HERE / ".git").exists(), reason="asks git for a revision")
def test_a_revision_recorded_is_compared_with(tmp_path, capfd):
    path = tmp_path / "record.npz"
    assert labels_record.at("HEAD", path, FEW) == 0 and path.exists()
    assert str(HERE) not in capfd.readouterr().out  # not the source of today
    assert labels_record.at("HEAD", path, FEW) == 0
    assert "0 records differ" in capfd.readouterr().out


def test_rules_that_an_earlier_revision_lacks_are_skipped_and_told(tmp_path):
    """A process of its own: the names of the package are changed there."""
    old = "import flowsam, sys; from tests import old_names;"
    old += "flowsam.asam = old_names.asam; sys.exit(old_names.main())"
    path = tmp_path / "record.npz"
    words = [path, *(f"--{name}={size}" for name, size in FEW.items())]
    run = subprocess.run(
        [sys.executable, "-c", old, *words], cwd=HERE, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    with np.load(path) as found:
        missing = [key for key in found if "adaptive" in key]
        assert len(missing) == 12 + 3 + 3 and "records, 6 of them skipped" in run.stdout
        for key in missing:
            assert str(found[key]) == "None" or (found[key] == labels_record.SKIPPED).all()


def test_differences_are_told_by_what_became_of_labels():
    old = {
        "labels": np.array([0, 0, 1, -99]),
        "run": np.array([1.0, 2.0]),
        "run words": np.array("a"),
    }
    new = {
        "labels": np.array([0, 2, 1, 3]),
        "run": np.array([1.0, 2.5]),
        "run words": np.array("a"),
    }
    told = dict(labels_record.differences(old, new))
    assert told == {"labels": "1 of 4: 0 -> 2: 1", "run": "1 of 2: 2.0 -> 2.5 at most"}
    none = dict.fromkeys(["run"], np.array("None"))
    assert not dict(labels_record.differences(old, old | none))
