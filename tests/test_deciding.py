"""Who decides by rule, depth or number of examples, and how many such places a call passes.

A deciding place is a line with a test (`if`, a conditional expression, a comparison, a mask) of
the rule's p, kind or normalisation, of the depth, or of the number of examples. The table decides
for all; formulas that hold for every p or L test them too, in files named here.
"""

import ast
import sys
from pathlib import Path

import pytest

from flowsam import Flow, balanced, l2, limit, linf, lp, phase_portrait, single_example, solve

PACKAGE = Path(__file__).parents[1] / "flowsam"
RULE = {"p", "normalised", "adaptive", "kind", "switches"}
RULES = {"rule", "perturbation", "flow"}  # what those are read of
DEPTHS = {"depth", "L"}
STATES = {"theta", "theta0", "w", "starts", "theta0s"}


def _reads_rule(node):
    """Whether a node is rule.p, flow.kind, self.perturbation.normalised, or not rule.rho."""
    if not isinstance(node, ast.Attribute):
        return False
    owner = node.value
    name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
    return name in RULES and node.attr in RULE | {"rho"}


def _reads_depth(node):
    """Whether a node is a depth: its name, len(theta), theta.shape[-2], self.depth."""
    if isinstance(node, ast.Name):
        return node.id in DEPTHS
    if isinstance(node, ast.Attribute):
        return node.attr == "depth"
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "len":
        inner = node.args[0]
        return (getattr(inner, "id", "") or getattr(inner, "attr", "")) in STATES
    return isinstance(node, ast.Subscript) and ast.unparse(node).endswith((".shape[-2]",))


def _reads_examples(node):
    """Whether a node is a number of examples."""
    text = ast.unparse(node) if isinstance(node, (ast.Subscript, ast.Call)) else ""
    return text.endswith(("data.z.shape[0]", "len(flow.data.z)", "len(z)", "z.shape[0]")) or (
        text.startswith("len(") and text.endswith("data.z)")
    )


def _tests(tree):
    """Expressions that decide: tests of statements and comparisons, and `and`, `or`, `not`."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.IfExp, ast.While)):
            yield node.test
        elif isinstance(node, ast.comprehension):
            yield from node.ifs
        elif isinstance(node, (ast.Compare, ast.BoolOp)) or (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        ):
            yield node


def deciding(path):
    """Return {line: kinds} of the deciding places of a file."""
    found = {}
    for test in _tests(ast.parse(path.read_text(encoding="utf-8"))):
        compared = isinstance(test, ast.Compare)
        for node in ast.walk(test):
            kinds = [("rule", _reads_rule(node))]
            if compared:
                kinds += [("depth", _reads_depth(node)), ("examples", _reads_examples(node))]
            for kind, reads in kinds:
                if reads:
                    found.setdefault(node.lineno, set()).add(kind)
    return found


PLACES = {
    str(path.relative_to(PACKAGE)): places
    for path in sorted(PACKAGE.rglob("*.py"))
    if (places := deciding(path))
}
FORMULAS = {  # files that may test the rule, and why
    "perturbations.py": "the step itself",
    "regimes.py": "the table",
    "rates.py": "predictions for every p",
    "engines/taylor.py": "the field that is compiled",
    "engines/lean_field.py": "the field on batches",
    "ensemble/batch_ends.py": "a field of the user's own ends nowhere that is known",
    "many_examples/dual_steps.py": "the slope of the step",
    "many_examples/hessian.py": "the slope of the step",
    "many_examples/log_weights.py": "the slope of the step",
    "outcomes/certificates.py": "what holds of a state, by p",
    "outcomes/sinking.py": "what holds of a state, by p",
    "outcomes/blow_up_order.py": "what holds of a state, by p",
    "outcomes/balanced_l2.py": "what holds of a state, for l_2",
    "outcomes/held_by_ascent.py": "what holds of a state, for unnormalised SAM",
    "outcomes/settling.py": "the units of a rule",
}
# What only a step's own formula may ask is a property of the rule: whether it perturbs, keeps its
# length, turns steeply, jumps at g = 0 alone.
PLAIN = ("exact/", "regions/", "network.py", "one_example/endings.py", "symbolic.py", "flow.py")


def test_only_formulas_test_the_rule():
    found = {name for name, places in PLACES.items() if "rule" in set().union(*places.values())}
    assert found <= set(FORMULAS), found - set(FORMULAS)
    assert set(FORMULAS) - found <= {"perturbations.py"}, "no more needed: take it off the list"


def passed(call):
    """The deciding places that a call passes; formulas of solved cases and checks are none."""
    seen = set()

    def line(frame, event, argument):
        seen.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    def entered(frame, event, argument):
        return line if frame.f_code.co_filename.startswith(str(PACKAGE)) else None

    call()  # imports and caches are no part of it
    before = sys.gettrace()
    sys.settrace(entered)
    try:
        call()
    finally:
        sys.settrace(before)
    places = {(str(Path(file).relative_to(PACKAGE)), number) for file, number in seen}
    return sorted(
        (name, number)
        for name, number in places
        if number in PLACES.get(name, {}) and not name.startswith(PLAIN)
    )


@pytest.mark.parametrize("rule", [linf(1.0), l2(1.0)], ids=lambda rule: rule.name)
def test_a_call_passes_few_places_that_decide(rule, capsys):
    flow, theta, x = (
        Flow(single_example([1.0, 2.0]), rule),
        balanced([1.2, 0.7], 2),
        [0.3, 0.9, 1.5],
    )

    def portrait():
        plane = phase_portrait(flow, x, x)
        return plane.fractions, plane.settled_at

    calls = {
        3: lambda: solve(flow, theta, tau_end=0.5),
        5: lambda: limit(flow, theta),
        7: portrait,
    }
    counts = {most: passed(call) for most, call in calls.items()}
    with capsys.disabled():
        told = dict(zip(("solve", "limit", "portrait"), map(len, counts.values()), strict=True))
        print(f"\n{rule.name}: deciding places passed: {told}")
    for most, places in counts.items():
        assert len(places) <= most, places


def test_the_counter_counts():
    """A rule without a theorem passes those of the certificates on its way."""
    flow = Flow(single_example([1.0, 2.0]), lp(1.0, p=3))
    names = {name for name, _ in passed(lambda: limit(flow, balanced([1.2, 0.7], 2)))}
    assert "outcomes/certificates.py" in names and "regimes.py" in names
