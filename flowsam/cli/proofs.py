"""The options --prove and --proof: labels proved, and the file that keeps the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowsam.cli.options import FLAG, Option
from flowsam.cli.writing import file_to_write, say

if TYPE_CHECKING:
    from pathlib import Path


PROOF = (
    Option("--prove", "Prove labels in balls; what is not proved is said.", FLAG),
    Option(
        "--proof",
        "The same, and keep it in this .json, for verify --proof FILE.",
        file_to_write(".json"),
    ),
)


def keep_proof(proof: Any, path: Path | None) -> None:
    """Write a proof, where there is one and a file is asked for."""
    if path is None:
        return
    from flowsam.certify import save_proof

    if proof is None:
        say(f"flowsam: nothing is proved, {path} is not written")
        return
    save_proof(proof, path)
