"""Real data without a download: scikit-learn's bundled sets, as features and two-class labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from flowsam.data import Data, class_signs, real_table, single_example
from flowsam.errors import InputError, MissingLibraryError
from flowsam.shapes import Examples, Float


def digits(
    first: int,
    second: int,
) -> tuple[Float[np.ndarray, "n 64"], Float[np.ndarray, " n"]]:
    """Return two classes of scikit-learn's 8 x 8 digits: features in [0, 1] and labels."""
    if first == second or not {first, second} <= set(range(10)):
        raise InputError(
            f"digits needs two different digits 0..9, got {first} and {second}"
        )
    pixels, target = _loaded("digits")(return_X_y=True)
    chosen = np.isin(target, (first, second))
    return pixels[chosen] / 16.0, np.where(target[chosen] == first, 1.0, -1.0)


def breast_cancer() -> tuple[
    Float[np.ndarray, "569 30"], Float[np.ndarray, " 569"], tuple[str, ...]
]:
    """Return scikit-learn's breast cancer set: 30 features in their own units, benign +1."""
    found = _loaded("breast_cancer")()
    labels = np.where(found.target == 1, 1.0, -1.0)
    return found.data, labels, tuple(found.feature_names)


def _loaded(name: str) -> Callable[..., Any]:
    """scikit-learn's loader of a set, or what is missing."""
    try:
        from sklearn import datasets
    except ImportError:
        raise MissingLibraryError(
            f"{name} needs scikit-learn; pip install 'flowsam[data]'"
        ) from None
    return getattr(datasets, f"load_{name}")


def class_mean_difference(
    X: Examples,
    y: Float[np.ndarray, " n"],
    *,
    name: str = "",
    features: Iterable[str] = (),
) -> Data:
    """Return one example, mu = mean of X over the larger label minus mean over the smaller."""
    X = real_table(X, "X", ())
    positive = class_signs(X, y) > 0
    mu = X[positive].mean(axis=0) - X[~positive].mean(axis=0)
    mu[X.max(axis=0) == X.min(axis=0)] = 0.0
    return single_example(mu, name=name, features=features)
