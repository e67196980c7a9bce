"""Max margin against scikit-learn's SVC at d = 1,000, n = 100: seconds and errors, one run.

Run: python tests/benchmarks/bench_margin.py
"""

from __future__ import annotations

import sys
import time

import numpy as np
from sklearn.svm import SVC

from flowsam.data import Data
from flowsam.margin import margin_certificate, max_margin


def best_of(work, repeats: int = 7) -> tuple[float, np.ndarray]:
    """Return the shortest of several timings, and the last answer."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), answer


def machine_vector(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Fit the hard-margin vector by libsvm; the doubled data put the plane through the origin."""
    fitted = SVC(kernel="linear", C=1e10, tol=1e-9).fit(X, y)
    return fitted.coef_[0] / (y * (X @ fitted.coef_[0])).min()


def main() -> None:
    """Print both times, both gaps, and the ratio."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 1000))
    y = np.where(np.arange(100) % 2, 1.0, -1.0)
    data = Data(y[:, None] * X)
    ours, beta = best_of(lambda: max_margin(data, 2))
    libsvm, _ = best_of(lambda: machine_vector(X, y))
    symmetric, centred = best_of(lambda: machine_vector(np.vstack([X, -X]), np.append(y, -y)))
    gaps = [margin_certificate(data, 2, vector).gap for vector in (beta, centred)]
    sys.stdout.write(
        f"max_margin      {ours * 1e3:8.2f} ms  gap {gaps[0]:.1e}\n"
        f"SVC (free bias) {libsvm * 1e3:8.2f} ms  ratio {libsvm / ours:.2f}\n"
        f"SVC, same task  {symmetric * 1e3:8.2f} ms  ratio {symmetric / ours:.2f}"
        f"  gap {gaps[1]:.1e}\n"
    )


if __name__ == "__main__":
    main()
