"""A pandas table in, a table of the run out; columns keep their names."""

import pandas as pd

from flowsam import Flow, balanced, from_labels, l2, solve

frame = pd.DataFrame({"strong": [2.0, 2.2, -2.1, -1.9], "weak": [1.0, 1.3, -1.1, -0.8]})
data = from_labels(frame, [1, 1, -1, -1])
run = solve(Flow(data, l2(0.1)), balanced([0.5, 0.5], depth=2), log_t_end=3.0)
table = pd.DataFrame(run.beta, columns=list(data.features), index=pd.Index(run.log_t, name="log_t"))
assert list(table) == ["strong", "weak"] and table["strong"].iloc[-1] > table["weak"].iloc[-1]
