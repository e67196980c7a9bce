"""Every figure: what it computes in fast mode is what is kept; claims, cards, fonts."""

import importlib
import io
import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

from figures import expected, style
from flowsam import Flow, gradient_flow, l2, linf, lp, single_example, solve
from flowsam.ledger.claims import claim_names
from flowsam.ledger.gallery import figure_names, heading

ROOT = Path(__file__).parents[1]
LONG = {  # seconds each under the type checks of the suite
    "fig_amplification_cones",
    "fig_amplification_digits",
    "fig_amplification_regimes",
    "fig_critical_scale",
    "fig_depth_one_margin",
    "fig_gallery",
    "fig_gates",
    "fig_l1_margin",
    "fig_l2_deep",
    "fig_linf_deep",
    "fig_loss",
    "fig_rates",
}
CURVES = re.compile(r"^field_.*(nullclines|separatrices|sliding|paths)")  # thinned, no curves
PAIR = np.array([[1.0, 2.0], [0.1, 0.2]])
SHAPES = {  # of figures whose arrays no two machines share
    "fig_scaling": dict.fromkeys(("features", "examples", "cells", "log_t"), PAIR),
    "fig_work_precision": {"exact form": PAIR[:, :1], "heyoka": PAIR, "discrete SAM": PAIR},
    "fig_naive_fails": {"calls": np.full((5, 2), 1e3), "reached": np.ones(5)},
    "fig_trained_network": {
        "found": np.full((3, 2, 8, 4), 0.5),
        "diagonal": np.full((2, 2, 8), 0.5),
        "words": np.array(["3, 5|GD|0", "3, 5|l_2|0.4", "3, 5|l_inf|0.4"]),
        "accuracy": np.ones((3, 2)),
        "stepped": np.full((3, 2, 4), 0.5),
    },
}
NAMES = [
    pytest.param(name, marks=[pytest.mark.long] if name in LONG else [])
    for name in figure_names(ROOT)
]


def keeping(verb, seen):
    """A verb that keeps what it finds."""

    def watch(*arguments, **named):
        seen.append(verb(*arguments, **named))
        return seen[-1]

    return watch


def watched(monkeypatch, module):
    """What a figure solves from now on, and its card at the end."""
    seen = []
    for verb in ("solve", "phase_portrait"):
        if inner := getattr(module, verb, None):
            monkeypatch.setattr(module, verb, keeping(inner, seen))
    compute = module.compute
    carded = lambda **k: [found := compute(**k), seen.append(str(found["card"]))][0]  # noqa: E731
    monkeypatch.setattr(module, "compute", carded)
    return seen


def assert_each_run_is_on(card, runs):
    """Rule, radius, method and tolerances of every run are those of its card."""
    said = {name: str(value) for name, value in card.items()}
    known = cards_facts(runs)
    for facts in known:
        where = (facts, card)
        assert facts["rule"].removesuffix("-SAM") in said["rule"] or "named" in said["rule"], where
        lone = re.fullmatch(r"[\d.e-]+", said["rho"])
        assert not lone or float(said["rho"]) == float(facts["rho"]), where
        words = re.findall(r"exact|DOP853|Radau|Utkin|paths|theorem", facts["method"])
        spoken = re.sub(
            "formula|closed form|checked", "exact theorem", said["method"] + said.get("steps", "")
        )
        assert all(word in spoken for word in words) or "each method" in spoken, where
        numbers = {float(x) for x in re.findall(r"\d+e-\d+", said["tolerances"])}
        steps = {float(x) for x in re.findall(r"\d+e-\d+", facts["tolerances"])}
        assert steps <= numbers | {1e-12} or "named" in said["method"], where
    if known and all("exact" in facts["method"] for facts in known):
        assert "none" in said["tolerances"], card


def cards_facts(runs):
    """What cards take from runs."""
    return [json.loads(style.card(run, start="")) for run in runs]


@pytest.mark.parametrize("name", NAMES)
def test_fast_arrays_are_those_kept(name, monkeypatch):
    if not (expected.FOLDER / f"{name}.npz").is_file():
        pytest.skip(f"nothing kept; run python -m figures.expected {name}")
    runs = watched(monkeypatch, importlib.import_module(f"figures.{name}"))
    found, kept = expected.arrays(name), expected.kept(name)
    if runs:  # figures of times are not computed here
        assert_each_run_is_on(json.loads(runs.pop()), runs)
    assert set(found) == set(kept), f"run python -m figures.expected {name}"
    for key, values in kept.items():
        if values.dtype.kind == "f":
            scale = np.abs(values[np.isfinite(values)]).max(initial=0.0)
            np.testing.assert_allclose(found[key], values, 1e-6, 1e-6 * scale, err_msg=key)
        else:
            np.testing.assert_array_equal(found[key], values, err_msg=key)


@pytest.mark.parametrize("name", figure_names(ROOT))
def test_the_head_names_claims_there_are(name):
    text = (ROOT / "figures" / f"{name}.py").read_text(encoding="utf-8")
    named = re.search(r"^Claims?: (.*?)[.,]? ?(?:on real data.*|Takes.*)?$", text, re.MULTILINE)
    words = set(re.findall(r"\b[a-z0-9]+_\w+|\brates\b", named[1])) if named else set()
    assert words <= set(claim_names(ROOT))
    assert "FAST" in text and "Takes: " in text


def test_cards_know_every_setting():
    run = solve(Flow(single_example([1, 2]), l2(0.5)), np.ones((2, 2)), tau_end=1.0)
    facts = json.loads(style.card(run, start="w = 1", also="GD beside it"))
    known = {"rule": "l_2-SAM", "rho": 0.5, "L": 2, "data": "mu=(1, 2)", "start": "w = 1"}
    known |= {"clock": "tau (rescaled)", "also": "GD beside it"}
    assert {name: facts[name] for name in known} == known
    with pytest.raises(ValueError, match="a run card needs start"):
        style.card(run)


def test_cards_of_several_runs_give_each_its_own():
    """What differs is told with what tells the runs apart; what does not, once."""
    data = single_example([1, 2])
    runs = [
        solve(Flow(data, rule), np.full((depth, 2), 0.5), tau_end=1.0)
        for rule in (gradient_flow(), linf(0.5), lp(0.5, p=3))
        for depth in (2, 3)
    ]
    facts = json.loads(style.card(*runs, start="w = 0.5"))
    assert facts["rule"] == "GD, l_inf-SAM, l_3-SAM" and facts["L"] == "2, 3"
    assert facts["data"] == "mu=(1, 2)"
    for run in runs:
        (entry,) = [e for e in facts["method"].split("; ") if run.perturbation.name in e]
        assert entry.endswith(f": {run.method}")
    module = importlib.import_module("figures.fig_rules_compared")
    deep = [solve(Flow(data, l2(0.5)), np.full((k, 2), 0.5), tau_end=1.0) for k in (2, 3, 4)]
    said = json.loads(style.card(*deep, start="w = 0.5"))
    assert said["method"] == "L = 2: exact: l2_two_layer; L = 3 and L = 4: DOP853"
    assert (
        said["tolerances"] == "L = 2: none, no integration; L = 3 and L = 4: rtol 1e-09, atol 1e-12"
    )
    compared = json.loads(str(module.compute(rows=3)["card"]))
    assert "l_2-SAM: " in compared["method"] and "GD" in compared["method"]


def drawn(name):
    """Draw a figure from the arrays kept for it, or from the few it computes to be drawn."""
    module = importlib.import_module(f"figures.{name}")
    arrays = SHAPES[name] if name in SHAPES else expected.kept(name)
    curves = {key: values[:0] for key, values in arrays.items() if CURVES.search(key)}
    return module.draw(**arrays | curves)


@pytest.mark.parametrize("name", figure_names(ROOT))
def test_text_is_legible_at_one_of_two_widths(name):
    figure = drawn(name)
    figure.canvas.draw()
    width = figure.get_size_inches()[0]
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    small = {text.get_text(): text.get_fontsize() for text in found}
    plt.close(figure)
    assert width in (style.COLUMN, style.PAGE)
    assert not {word: size for word, size in small.items() if size < style.SMALL}


@pytest.mark.parametrize("name", figure_names(ROOT))
def test_titles_and_captions_are_sentences_with_typeset_mathematics(name):
    module = importlib.import_module(f"figures.{name}")
    title, _, caption = heading(module.__doc__)
    assert title.endswith(".") and caption.endswith(".")
    assert re.split(r"\$[^$]*\$", caption)[0][:1].isupper() or caption.startswith("$")
    plain = "".join(re.split(r"\$[^$]*\$", caption))
    assert not re.search(r"\b(mu|alpha|rho|tau|beta)\b|\+-|\w\*", title)
    assert not re.search(r"\b(l_|mu_|alpha|rho|tau|beta_)|[\^{}\\]|\d+ \(\d+\)", plain)
    figure = drawn(name)
    words = [text.get_text() for text in figure.findobj(Text)]
    plt.close(figure)
    assert not [word for word in words if re.search(r"^[^$]*\b(l_\w|rho|alpha|tau)\b", word)]


def test_fonts_are_embedded_as_type_42_and_lines_are_vectors():
    file = io.BytesIO()
    figure = drawn("fig_rules_compared")
    figure.savefig(file, format="pdf")
    plt.close(figure)
    pdf = file.getvalue()
    assert b"/Type42" in pdf or b"/CIDFontType2" in pdf or b"/TrueType" in pdf
    assert b"/Type3" not in pdf and b"/Image" not in pdf.replace(b"/ImageB", b"").replace(
        b"/ImageC", b""
    ).replace(b"/ImageI", b"")
