"""Settings every test shares: no display, one thread, hypothesis without deadlines."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

# Two shared cores make single timings noise; the suite has a budget as a whole instead.
settings.register_profile("flowsam", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("flowsam")
