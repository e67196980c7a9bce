"""Planes whose labels are proved: by the doubles, by the order of starts, or one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsam.certify.checking import Refused, Tube, Unproved
from flowsam.certify.l2_planes import sizes_of
from flowsam.certify.linf_labels import exact_label, exact_labels
from flowsam.certify.proofs import Problem, Proof, check, prove
from flowsam.labels import Label
from flowsam.shapes import Chosen, Codes, Starts, Vector

PLANE = "flowsam plane proof 1"
DOUBLE = ">f8"  # in a file: the bytes of a double, as they are read


SOFT = (Label.UNDECIDED, Label.SEPARATRIX, Label.TIE)  # of doubles near each other


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

    mu: Vector
    rho: float
    p: float
    starts: Starts
    labels: Codes
    proved: Chosen
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


def prove_plane(plane: PlaneProof, told: Callable[[int], object] = int) -> PlaneProof:
    """Return a plane with its labels proved, as far as they can be.

    Parameters
    ----------
    plane : PlaneProof
        With the labels that `limits` gives, nothing proved.
    told : callable
        Told how many more cells are done.

    Returns
    -------
    PlaneProof
    """
    if plane.problem(0).jumps:
        labels = exact_labels(plane.starts, plane.mu, plane.rho)
        reason = "the doubles alone do not decide them"
        found = dataclasses.replace(
            plane, labels=labels, proved=labels != Label.UNDECIDED, reason=reason
        )
    elif plane.ordered:
        found = _by_order(plane)
    else:
        return _merged(plane, _one_by_one(plane, told))
    told(plane.labels.size)
    return _merged(plane, found)


def _merged(plane: PlaneProof, found: PlaneProof) -> PlaneProof:
    """The proved labels, and the others as they were."""
    labels = np.where(found.proved, found.labels, plane.labels)
    for k in np.flatnonzero(labels != plane.labels):
        agreed(int(labels[k]), int(plane.labels[k]))
    return dataclasses.replace(found, labels=labels)


def agreed(proved: int, given: int) -> int:
    """Return a proved label, which may decide what doubles call near each other."""
    if proved != given and given not in SOFT:
        raise AssertionError(
            f"the proof of label {proved} contradicts {given}, please report it"
        )
    return proved


def _one_by_one(plane: PlaneProof, told: Callable[[int], object]) -> PlaneProof:
    """Each start by its own tube."""
    found = _Found(plane)
    for k in range(plane.labels.size):
        found.proves(k)
        told(1)
    proved = np.zeros(plane.labels.size, dtype=bool)
    proved[list(found.proofs)] = True
    return found.plane(proved)


def _by_order(plane: PlaneProof) -> PlaneProof:
    """The least escaping and the largest collapsing starts prove the others."""
    found = _Found(plane)
    proved = np.zeros(plane.labels.size, dtype=bool)
    sizes = sizes_of(plane.starts, plane.mu)
    size = sizes.high.sum(axis=1)
    winner = _winners(plane)
    escapes = (plane.labels > 0) | (plane.labels == Label.TIE)
    near = plane.labels == Label.SEPARATRIX
    for which, rank in (
        (escapes, size),
        (plane.labels == Label.ZERO, -size),
        (near, size),
    ):
        open_ = np.flatnonzero(which)
        open_ = open_[np.argsort(rank[open_], kind="stable")]
        while open_.size:
            # by halving, where nothing says on which side they are
            k = open_.size // 2 if which is near else 0
            follows = np.arange(open_.size) == k
            if found.proves(int(open_[k])):
                part = sizes.take(open_)
                collapses = found.labels[open_[k]] == Label.ZERO
                follows = part.at_most(k) if collapses else part.at_least(k)
                some = open_[follows]
                proved[some] = True
                found.labels[some] = Label.ZERO if collapses else winner[some]
            open_ = open_[~follows]
    return found.plane(proved)


class _Found:
    """Proofs of single starts, as they are found."""

    def __init__(self, plane: PlaneProof) -> None:
        self.start = plane
        self.labels = plane.labels.copy()
        self.proofs: dict[int, Proof] = {}
        self.reason = ""

    def proves(self, place: int) -> bool:
        """Prove one start, or keep the reason why not."""
        try:
            proof = prove(self.start.problem(place))
        except Unproved as error:
            self.reason = str(error)
            return False
        self.proofs[place] = proof
        self.labels[place] = proof.label
        return True

    def plane(self, proved: Chosen) -> PlaneProof:
        """The plane with what was found."""
        return dataclasses.replace(
            self.start,
            labels=self.labels,
            proved=proved,
            proofs=self.proofs,
            reason=self.reason,
        )


def check_plane(plane: PlaneProof) -> None:
    """Raise `Refused` where the proof of a plane does not hold."""
    if plane.problem(0).jumps:
        for k in np.flatnonzero(plane.proved):
            problem = plane.problem(int(k))
            label = exact_label(problem.theta, problem.mu, problem.rho)
            _demand(label == plane.labels[k], int(k))
        return
    for proof in plane.proofs.values():
        check(proof)
    holds = np.zeros(plane.labels.size, dtype=bool)
    holds[list(plane.proofs)] = True
    if plane.ordered:
        holds |= _ordered(plane)
    unfounded = plane.proved & ~holds
    _demand(not unfounded.any(), int(np.argmax(unfounded)))


def _demand(holds: bool, place: int) -> None:
    """Refuse a plane for one of its cells."""
    if not holds:
        raise Refused(f"nothing proves the label of cell {place}")


def _ordered(plane: PlaneProof) -> Chosen:
    """Which labels follow by order from those of single starts."""
    sizes = sizes_of(plane.starts, plane.mu)
    winner = _winners(plane)
    follows = np.zeros(plane.labels.size, dtype=bool)
    for k, proof in plane.proofs.items():
        if proof.label == Label.ZERO:
            follows |= sizes.at_most(k) & (plane.labels == Label.ZERO)
        else:
            follows |= sizes.at_least(k) & (plane.labels == winner)
    return follows


def _winners(plane: PlaneProof) -> Codes:
    """The label of each start if it escapes: the largest |mu_j| with s_j != 0; equal ones tie."""
    u = plane.starts[:, 0]
    v = plane.starts[:, 1]
    grows = np.where(plane.mu > 0, u != -v, u != v) & (plane.mu != 0)
    size = np.where(grows, np.abs(plane.mu), -1.0)
    first = size == size.max(axis=1, keepdims=True)
    return np.where(first.sum(axis=1) > 1, Label.TIE, first.argmax(axis=1) + 1)
