"""Wrong objects, odd numbers, damaged files: one line or an answer, never a traceback."""

import shlex

import jaxtyping
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import fuzz, fuzz_seeds


@pytest.fixture(autouse=True)
def _as_users_have_it():
    """No shapes are checked but by the package itself."""
    jaxtyping.config.jaxtyping_disable = True


@pytest.mark.parametrize(("text", "must"), fuzz_seeds.CALLS)
def test_a_fault_once_found_stays_away(text, must):
    found = fuzz.judged_call(text, must)
    assert found == "refused" if must else found in fuzz.GOOD, found


@pytest.mark.parametrize("line", fuzz_seeds.COMMANDS)
def test_a_command_once_taken_is_refused(line):
    assert fuzz.judged_command(shlex.split(line), dict(fuzz.FILES), must=True) == "refused"


@pytest.mark.parametrize("seed", range(3))
def test_a_handful_of_each(seed):
    counts, faults = fuzz.campaign(30, 6, 6, seed)
    assert not faults
    assert sum(counts.values()) == 42


def drawn(case, judge, data, counts):
    """Judge a case that Hypothesis draws, and count what it did."""
    what = case(lambda options: data.draw(st.sampled_from(list(options))))
    found = judge(*what)
    counts[found] = counts.get(found, 0) + 1
    assert found in fuzz.GOOD, what


@pytest.mark.long
@pytest.mark.parametrize(
    ("case", "judge", "number"),
    [
        (fuzz.api_call, fuzz.judged_call, 2000),
        (fuzz.cli_call, fuzz.judged_command, 1000),
        (fuzz.damaged_file, fuzz.judged_file, 300),
    ],
    ids=["calls", "commands", "files"],
)
def test_thousands_of_each(case, judge, number, capsys):
    counts = {}

    @settings(max_examples=number, derandomize=False)
    @given(st.data())
    def search(data):
        drawn(case, judge, data, counts)

    search()
    with capsys.disabled():
        print(f"\n{case.__name__}: {counts}")
