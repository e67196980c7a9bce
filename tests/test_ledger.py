"""Evidence and verdicts: what passes, what fails, and that nothing fails silently."""

import pytest

from flowsam.ledger.claims import Ledger, Verdict, headings, table
from flowsam.ledger.evidence import complaint, run_check, run_control


def test_draws_differ_and_repeat():
    seen = []
    run_check(lambda rng: seen.append(rng.random()), seed=4)
    again = []
    run_check(lambda rng: again.append(rng.random()), seed=4)
    assert len(set(seen)) == 20 and seen == again
    run_check(lambda rng: again.append(rng.random()), seed=5, draws=1)
    assert again[-1] not in seen


def test_a_failing_check_names_seed_draw_and_parameters():
    def check(rng):
        x = rng.random()
        assert x < 0.9, f"x={x:.3f}"

    with pytest.raises(AssertionError, match=r"seed 1, draw \d+: AssertionError: x=0\.9\d\d"):
        run_check(check, seed=1, draws=100)


def test_a_control_has_to_fail_every_time():
    def sometimes(rng):
        assert rng.random() < 0.5

    def always(rng):
        raise AssertionError("broken")

    run_control(always)
    with pytest.raises(AssertionError, match="negative control passed at seed 0, draw"):
        run_control(sometimes, draws=30)


def test_a_control_that_crashes_is_a_mistake():
    def crash(rng):
        raise ZeroDivisionError("by mistake")

    with pytest.raises(ZeroDivisionError):
        run_control(crash)


def test_complaint_finds_the_line_of_a_bare_assert():
    try:
        assert 1 + 1 == 3
    except AssertionError as error:
        error.args = ()
        assert "test_ledger.py" in complaint(error) and "1 + 1 == 3" in complaint(error)


def test_headings_unwrap_paragraphs(tmp_path):
    path = tmp_path / "claim.py"
    path.write_text(
        "# %% [markdown]\n# Claim. One thing\n# and another.\n#\n# Assumes: mu > 0.\n#\n"
        "# Formula $\\rho$\n#\n# Used by flowsam.flow.\n#\n# Source: me.\n\nx = 1  # Claim. no\n"
    )
    assert headings(path) == {
        "claim": "One thing and another.",
        "assumes": "mu > 0.",
        "formula": "$\\rho$",
        "used by": "flowsam.flow.",
        "source": "me.",
    }


def test_tables_line_up_and_the_text_names_failures():
    good = Verdict("one", "paper", "pass (1 undecided)", "pass", "pass", 1.25)
    bad = Verdict("another", "flowsam", "pass", "fail", "-", 0.5, "another fails: x=1")
    lines = table([good, bad]).splitlines()
    places = [lines[k].index(word) for k, word in enumerate(("source", "paper", "flowsam"))]
    assert places == [9, 9, 9]
    ledger = Ledger(7, (good, bad), "a note")
    assert not ledger.passed and Ledger(7, (good,)).passed
    text = ledger.text()
    assert "another fails: x=1" in text and "a note" in text
    assert text.endswith("1 of 2 claims pass; seed 7")
