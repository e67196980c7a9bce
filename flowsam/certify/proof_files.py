"""Proof files: JSON with the doubles of the input in hexadecimal, the steps, and the verdict."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flowsam import archive
from flowsam.certify.plane_proofs import PlaneProof, check_plane
from flowsam.certify.proofs import Proof, ProvedScale, check, check_scale
from flowsam.certify.proved_leaders import ProvedLeaders, check_leaders
from flowsam.errors import InputError

AnyProof = Proof | PlaneProof | ProvedScale | ProvedLeaders
_CHECKS: dict[type[Any], Callable[[Any], None]] = {
    Proof: check,
    PlaneProof: check_plane,
    ProvedScale: check_scale,
    ProvedLeaders: check_leaders,
}


def save_proof(proof: AnyProof, path: str | os.PathLike[str]) -> Path:
    """Write a proof in one move, and return its path."""
    path = Path(path)
    archive.write_text(path, json.dumps(proof.facts()) + "\n")
    return path


def load_proof(path: str | os.PathLike[str]) -> AnyProof:
    """Read a proof, unchecked."""
    try:
        facts = json.loads(Path(path).read_text(encoding="utf-8"))
        kinds: dict[str, type[Any]] = {kind.FORMAT: kind for kind in _CHECKS}
        return kinds[facts["format"]].of(facts)
    except OSError as error:
        raise InputError(
            f"a proof needs a file that can be read, got {path} ({error.strerror})"
        ) from None
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        why = f"{type(error).__name__}: {error}"
        raise InputError(
            f"{path} is not a proof of flowsam, or damaged ({why[:80]})"
        ) from None


def check_file(path: str | os.PathLike[str]) -> str:
    """Check the proof in a file and return what it proves, or raise `Refused`.

    Examples
    --------
    >>> import tempfile
    >>> from flowsam.certify.proofs import Problem, prove
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     start = ((0.53, 0.53), (0.53, 0.53))
    ...     proof = prove(Problem((1.0, 2.0), 1.0, 2.0, start))
    ...     print(check_file(save_proof(proof, f"{folder}/proof.json")))
    label 2 of mu = (1, 2), rho = 1, p = 2, L = 2
    """
    proof = load_proof(path)
    _CHECKS[type(proof)](proof)
    return proof.describe()
