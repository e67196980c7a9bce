"""What proves the labels of a plane, as numbers or as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsam.certify.proofs import Problem, Proof
from flowsam.certify.tubes import Tube
from flowsam.shapes import Bool, Float, Int

__all__ = ["PLANE", "PlaneProof"]

PLANE = "flowsam plane proof 1"
DOUBLE = ">f8"  # in a file: the bytes of a double, as they are read

Starts = Float[np.ndarray, "N L d"]


@dataclass(frozen=True, eq=False)
class PlaneProof:
    """The labels of many starts of one flow, and what proves them.

    Parameters
    ----------
    mu : ndarray, shape (d,)
    rho, p : float
    starts : ndarray, shape (N, L, d)
    labels : ndarray of int, shape (N,)
        Those of the proof where there is one.
    proved : ndarray of bool, shape (N,)
    proofs : dict of int to Proof
        Of single starts, by their place; none where the doubles decide.
    reason : str
        Why some are not proved.
    """

    mu: Float[np.ndarray, " d"]
    rho: float
    p: float
    starts: Starts
    labels: Int[np.ndarray, " N"]
    proved: Bool[np.ndarray, " N"]
    proofs: dict[int, Proof]
    reason: str = ""

    def problem(self, place: int) -> Problem:
        """Return the problem of one start."""
        theta = tuple(map(tuple, self.starts[place].tolist()))
        return Problem(tuple(self.mu.tolist()), self.rho, self.p, theta)

    @property
    def ordered(self) -> bool:
        """Return whether starts decide others."""
        return self.p == 2 and self.rho > 0 and self.starts.shape[1] == 2

    def describe(self) -> str:
        """Return how many are proved, by how many starts."""
        count = int(self.proved.sum())
        how = "by exact comparison"
        if self.proofs:
            how = f"from {len(self.proofs)} starts" if self.ordered else "one by one"
        left = f"; the others: {self.reason}" if count < self.proved.size else ""
        return f"{count} of {self.proved.size} labels proved {how}{left}"

    def facts(self) -> dict[str, Any]:
        """Return the proof as text, doubles in hexadecimal."""
        tubes = {
            k: proof.tube.facts() for k, proof in self.proofs.items() if proof.tube
        }
        return {
            "format": PLANE,
            "mu": [m.hex() for m in self.mu.tolist()],
            "rho": self.rho.hex(),
            "p": self.p.hex(),
            "shape": list(self.starts.shape),
            "starts": self.starts.astype(DOUBLE).tobytes().hex(),
            "labels": self.labels.tolist(),
            "proved": self.proved.astype(int).tolist(),
            "tubes": tubes,
        }

    @classmethod
    def of(cls, facts: dict[str, Any]) -> PlaneProof:
        """Return the proof of a text."""
        number = float.fromhex
        bytes_ = bytes.fromhex(facts["starts"])
        starts = np.frombuffer(bytes_, DOUBLE).astype(float).reshape(facts["shape"])
        labels = np.array(facts["labels"], dtype=np.int64)
        proved = np.array(facts["proved"], dtype=bool)
        mu = np.array([number(m) for m in facts["mu"]])
        bare = cls(
            mu, number(facts["rho"]), number(facts["p"]), starts, labels, proved, {}
        )
        for word, tube in facts["tubes"].items():
            place = int(word)
            label = int(labels[place])
            bare.proofs[place] = Proof(bare.problem(place), label, Tube.of(tube))
        return bare
