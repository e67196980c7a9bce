"""
Your own table of data
======================

A table with a column of labels, and the question: which columns does a predictor lean on while it
trains, under gradient descent and under SAM?
"""

# %%
# A table of forty rows, written here so that the script stands alone: column `strong` separates the
# two classes well, `weak` less so, and both point the same way.
import tempfile
from pathlib import Path

import numpy as np

from flowsam import Flow, balanced, from_labels, gradient_flow, l2, limit, solve
from flowsam.amplification import critical_scale
from flowsam.real_data.tables import read_csv

rng = np.random.default_rng(3)
label = np.repeat([-1, 1], 20)
strong = label * rng.uniform(2.0, 3.0, 40)
weak = label * rng.uniform(1.0, 1.4, 40)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "table.csv"
rows = ["strong,weak,kind"]
rows += [f"{s:.3f},{w:.3f},{'ab'[int(k > 0)]}" for s, w, k in zip(strong, weak, label, strict=True)]
path.write_text("\n".join(rows) + "\n")

# %%
# Read it. An example is its row times its class, so that a positive margin is a right answer.
table = read_csv(path, "kind")
data = from_labels(table.X, table.y)
print(data)

# %%
# Follow gradient flow and l_2-SAM from the same start, two layers. The start is chosen for one
# example, the mean of the table: 5 % above the scale at which SAM's own step would stop it.
mean = data.z.mean(axis=0)
scale = 1.05 * critical_scale(mean, 1.0)
start = balanced([scale, scale], 2)

# %%
# The share of the weak column in the predictor, along the way:
shares = {}
for name, rule in (("GD", gradient_flow()), ("SAM", l2(1.0))):
    run = solve(Flow(data, rule), start, log_t_end=20.0)
    shares[name] = run.beta[:, 1] / run.beta.sum(axis=1)
    print(name, "largest share of the weak column:", round(shares[name].max(), 3))

# %%
# SAM leaned on the weak column at some time, gradient flow never: minor first.
assert shares["SAM"].max() > 0.5
assert shares["GD"].max() <= 0.5 + 1e-9

# %%
# And what does each tend to? Limits of several examples are certified where a theorem decides them,
# and called undecided, with the reason, where none does.
for rule in (gradient_flow(), l2(1.0)):
    print(limit(Flow(data, rule), start))
folder.cleanup()
