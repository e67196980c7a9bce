"""Proof files: JSON with the doubles of the input in hexadecimal, the steps, and the verdict."""

import json
import os
from pathlib import Path
from typing import Any

from flowsam import archive
from flowsam.certify.plane_proofs import PLANE, PlaneProof, check_plane
from flowsam.certify.proofs import FORMAT, Proof, check
from flowsam.certify.proved_leaders import LEADERS, ProvedLeaders, check_leaders
from flowsam.certify.proved_scales import SCALE, ProvedScale, check_scale
from flowsam.errors import InputError

AnyProof = Proof | PlaneProof | ProvedScale | ProvedLeaders
_KINDS: dict[str, tuple[type[Any], Any]] = {
    FORMAT: (Proof, check),
    PLANE: (PlaneProof, check_plane),
    SCALE: (ProvedScale, check_scale),
    LEADERS: (ProvedLeaders, check_leaders),
}


def save_proof(proof: AnyProof, path: str | os.PathLike[str]) -> Path:
    """Write a proof in one move, and return its path."""
    path = Path(path)
    archive.write_text(path, json.dumps(proof.facts()) + "\n")
    return path


def load_proof(path: str | os.PathLike[str]) -> AnyProof:
    """Read a proof, unchecked."""
    return _read(Path(path))[0]


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
    proof, check_it = _read(Path(path))
    check_it(proof)
    return proof.describe()


def _read(path: Path) -> tuple[Any, Any]:
    """A proof and its checker."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        kind, check_it = _KINDS[facts["format"]]
        return kind.of(facts), check_it
    except OSError as error:
        raise InputError(
            f"a proof needs a file that can be read, got {path} ({error.strerror})"
        ) from None
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
    ) as error:
        why = f"{type(error).__name__}: {error}"
        raise InputError(
            f"{path} is not a proof of flowsam, or damaged ({why[:80]})"
        ) from None
