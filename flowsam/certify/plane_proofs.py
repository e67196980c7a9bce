"""Planes whose labels are proved: by the doubles, by the order of starts, or one by one.

Under l_2-SAM at L = 2 N(tau) rises with every |s_j(0)|, |e_j(0)|, s = u + v, e = u - v: what
exceeds an escaping start in all sizes escapes, and the least escaping and the largest collapsing
starts decide the others. (derivations/l2_critical_scale.py)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from flowsam.certify.checking import Refused, Tube, Unproved
from flowsam.certify.l2_equation import winners
from flowsam.certify.linf_labels import exact_label, exact_labels
from flowsam.certify.proofs import Problem, Proof, check, prove
from flowsam.exact.two_layer_path import two_sum
from flowsam.labels import Label
from flowsam.shapes import Chosen, Codes, Complex, Int, Starts, Vector

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

    FORMAT = "flowsam plane proof 1"
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
        return Problem.of_arrays(self.mu, self.rho, self.p, self.starts[place])

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

    @cached_property
    def sizes(self) -> Complex[np.ndarray, "N m"]:
        """|s_j| and |e_j| where mu_j != 0, exactly: u + v and u - v of the two layers.

        The real part is the sum in doubles, the imaginary part what it lost: complex numbers are
        ordered by the first, equal ones by the second.
        """
        a, v = np.moveaxis(self.starts[..., self.mu != 0], 1, 0)
        a = np.concatenate([a, a], axis=1)
        b = np.concatenate([v, -v], axis=1)
        total, lost = two_sum(a, b)
        sign = np.where(total < 0, -1.0, 1.0)
        return np.stack([sign * total, sign * lost], axis=-1).view(complex)[..., 0]

    @cached_property
    def winners(self) -> Codes:
        """The label of each start if it escapes."""
        return winners(self.starts, self.mu)

    def implied(self, place: int, label: int) -> Codes:
        """Return what the label of one start proves of each: UNDECIDED where nothing."""
        found = np.full(self.labels.size, int(Label.UNDECIDED))
        if self.ordered and label == Label.ZERO:
            found[(self.sizes <= self.sizes[place]).all(axis=1)] = Label.ZERO
        elif self.ordered:
            above = (self.sizes >= self.sizes[place]).all(axis=1)
            found[above] = self.winners[above]
        else:
            found[place] = label
        return found

    def facts(self) -> dict[str, Any]:
        """Return the proof as text, doubles in hexadecimal."""
        proofs = self.proofs.items()
        one = self.problem(0).facts()
        return {
            "format": self.FORMAT,
            **{name: one[name] for name in ("mu", "rho", "p")},
            "shape": list(self.starts.shape),
            "starts": self.starts.astype(DOUBLE).tobytes().hex(),
            "labels": self.labels.tolist(),
            "proved": self.proved.astype(int).tolist(),
            "tubes": {k: proof.tube.facts() for k, proof in proofs if proof.tube},
        }

    @classmethod
    def of(cls, facts: dict[str, Any]) -> PlaneProof:
        """Return the proof of a text."""
        mu = np.array([float.fromhex(m) for m in facts["mu"]])
        rho, p = (float.fromhex(facts[name]) for name in ("rho", "p"))
        starts = np.frombuffer(bytes.fromhex(facts["starts"]), DOUBLE).astype(float)
        starts = starts.reshape(facts["shape"])
        labels = np.array(facts["labels"], dtype=np.int64)
        proved = np.array(facts["proved"], dtype=bool)
        plane = cls(mu, rho, p, starts, labels, proved, {})
        for word, tube in facts["tubes"].items():
            k = int(word)
            plane.proofs[k] = Proof(plane.problem(k), int(labels[k]), Tube.of(tube))
        return plane


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
        found = replace(plane, reason="the doubles alone do not decide them")
        told(labels.size)
    else:
        found, labels = _by_starts(plane, told)
    proved = labels != Label.UNDECIDED
    labels = np.where(proved, labels, plane.labels)
    for k in np.flatnonzero(labels != plane.labels):
        agreed(int(labels[k]), int(plane.labels[k]))
    return replace(found, labels=labels, proved=proved)


def agreed(proved: int, given: int) -> int:
    """Return a proved label, which may decide what doubles call near each other."""
    if proved != given and given not in SOFT:
        raise AssertionError(
            f"the proof of label {proved} contradicts {given}, please report it"
        )
    return proved


def _by_starts(
    plane: PlaneProof, told: Callable[[int], object]
) -> tuple[PlaneProof, Codes]:
    """The proofs of single starts, and the labels they prove, UNDECIDED where none does."""
    labels = np.full(plane.labels.size, int(Label.UNDECIDED))
    found = replace(plane, proofs={})
    left = labels.size
    for places in _searches(plane):
        # by halving, where nothing says on which side they are
        halved = plane.labels[places[:1]] == Label.SEPARATRIX
        while places.size:
            k = int(places[places.size // 2 if halved else 0])
            done = places == k
            try:
                proof = found.proofs[k] = prove(plane.problem(k))
            except Unproved as error:
                found = replace(found, reason=str(error))
            else:
                proved = plane.implied(k, proof.label)[places]
                done |= proved != Label.UNDECIDED
                labels[places[done]] = proved[done]
            places = places[~done]
            told(int(done.sum()))
            left -= int(done.sum())
    told(left)
    return found, labels


def _searches(plane: PlaneProof) -> list[Int[np.ndarray, " k"]]:
    """Starts in the order they are tried: each escape and collapse may spare those after it."""
    if not plane.ordered:
        return [*np.arange(plane.labels.size)[:, None]]
    labels = plane.labels
    size = plane.sizes.real.sum(axis=1)
    escapes = np.flatnonzero((labels > 0) | (labels == Label.TIE))
    falls = np.flatnonzero(labels == Label.ZERO)
    near = np.flatnonzero(labels == Label.SEPARATRIX)
    pairs = ((escapes, size), (falls, -size), (near, size))
    return [some[np.argsort(rank[some], kind="stable")] for some, rank in pairs]


def check_plane(plane: PlaneProof) -> None:
    """Raise `Refused` where the proof of a plane does not hold."""
    holds = np.zeros(plane.labels.size, dtype=bool)
    if plane.problem(0).jumps:
        for k in np.flatnonzero(plane.proved).tolist():
            one = plane.problem(k)
            holds[k] = exact_label(one.theta, one.mu, one.rho) == plane.labels[k]
    else:
        for k, proof in plane.proofs.items():
            check(proof)
            holds |= plane.implied(k, proof.label) == plane.labels
    unfounded = plane.proved & ~(holds & (plane.labels != Label.UNDECIDED))
    if unfounded.any():
        raise Refused(f"nothing proves the label of cell {np.argmax(unfounded)}")
