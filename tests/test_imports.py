"""Importing flowsam is free, and its command line answers at once."""

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


def test_help_loads_few_modules():
    """Ninety of the standard library and the command line's own; each costs its time."""
    code = (
        "import sys; had = set(sys.modules); from flowsam.cli import main; main(['--help']); "
        "print(len(set(sys.modules) - had))"
    )
    assert int(fresh(code).split()[-1]) < 150


def test_every_public_name_loads_once():
    for name in flowsam.__all__:
        assert getattr(flowsam, name) is getattr(flowsam, name)
    assert set(flowsam.__all__) == set(dir(flowsam))
    assert len(flowsam.__all__) <= 36  # the contract: nouns, verbs, rules


def test_unknown_name_says_so():
    with pytest.raises(AttributeError, match="no attribute 'sharpness'; see dir"):
        flowsam.sharpness  # noqa: B018


BAD = (
    ["simulate"],
    ["limit", "--sharp", "3"],
    ["limit", "--mu", "1,x", "--rho", "1", "--init", "1"],
    ["limit", "--mu", "1", "--norm", "max", "--rho", "1", "--init", "1"],
    ["limit", "--mu", "1", "--init", "1"],
    ["limit", "--mu", "1", "--rho", "1", "--init", "1", "--label", "y"],
    ["simulate", "--mu", "1", "--rho", "1", "--init", "1"],
    ["portrait", "--mu", "1,2", "--rho", "1", "--grid", "nan"],
    ["portrait", "--mu", "1,2"],
    ["features", "--csv", "a.csv", "--rho", "1"],
)


def test_a_bad_option_loads_nothing_heavy():
    code = (
        f"import sys; from flowsam.cli import main; print([main(bad) for bad in {BAD}], "
        f"[m for m in {HEAVY} if m in sys.modules])"
    )
    assert fresh(code) == f"{[2] * len(BAD)} []"


def test_flows_and_closed_forms_load_neither_scipy_nor_sympy():
    code = (
        "import sys, flowsam.exact; from flowsam.exact import linf_two_layer as e; "
        "from flowsam import Flow, linf, single_example; Flow(single_example([1, 2]), linf(1)); "
        "e.read([[1.5, 0.6]] * 2, [1, 2], 1.0).fate; "
        f"print([m for m in {HEAVY[1:]} if m in sys.modules])"
    )
    assert fresh(code) == "[]"


CLOSED = (
    ["limit", "--mu", "1,2", "--rho", "1", "--init", "1.5,.6"],
    ["limit", "--mu", "1,2", "--rho", "1", "--init", "1.5,.6", "--depth", "3"],
    ["simulate", "--mu", "1,2", "--rho", "1", "--init", "1.5,.6", "--tau-end", "1"],
    ["portrait", "--mu", "1,2", "--rho", "1", "--grid", "20", "--out", "starts.npz"],
)


@pytest.mark.parametrize("ask", CLOSED, ids=" ".join)
def test_closed_forms_load_neither_scipy_nor_sympy(ask, tmp_path, monkeypatch):
    """What integrates, l_2's curves, and regions as mathematics come when they are asked for."""
    monkeypatch.chdir(tmp_path)
    code = f"import sys; from flowsam.cli import main; print(main({ask} + ['--quiet']), "
    assert fresh(f"{code}[m for m in {HEAVY[1:]} if m in sys.modules])") == "0 []"


def test_a_limit_at_two_layers_loads_no_files_no_fractions_and_no_deeper_layers():
    """What only some answers need adds a fifth to the time of the first one."""
    unused = {"decimal", "hashlib", "pathlib", "zipfile", "flowsam.archive"}
    unused |= {"numpy.polynomial", "flowsam.exact.linf_deep", "flowsam.exact.linf_balanced"}
    code = (
        f"import sys, numpy; had = set(sys.modules); from flowsam.cli import main; "
        f"main({CLOSED[0]} + ['--quiet']); new = set(sys.modules) - had; "
        f"print(sorted(new & {unused}))"
    )
    assert fresh(code).endswith("[]")


TOLD = ("--norm inf", "--norm inf --depth 3", "--norm 2")


@pytest.mark.parametrize("rule", TOLD)
def test_the_original_time_of_a_closed_form_loads_no_sympy(rule):
    """What simulate prints of it."""
    ask = f"simulate --mu 1,2 --rho 1 --init 1.5,.6 --tau-end .5 {rule}".split()
    code = f"import sys; from flowsam.cli import main; print(main({ask}), 'sympy' in sys.modules)"
    assert fresh(code).endswith("0 False")


def test_a_solve_by_a_closed_form_loads_neither_scipy_nor_sympy():
    code = (
        "import sys; from flowsam import Flow, linf, single_example, solve; "
        "solve(Flow(single_example([1, 2]), linf(1)), [[1.5, 0.6]] * 2, tau_end=1); "
        f"print([m for m in {HEAVY[1:]} if m in sys.modules])"
    )
    assert fresh(code) == "[]"
