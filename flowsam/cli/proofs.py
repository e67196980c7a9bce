"""The options --prove and --proof: labels proved, and the file that keeps the proof."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from flowsam.cli.writing import checked_output

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["keep_proof", "proof_options", "wanted_proof"]


def proof_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    prove = click.option(
        "--prove",
        is_flag=True,
        help="Prove labels in balls; what is not proved is said.",
    )
    keep = click.option(
        "--proof", help="The same, and keep it in this .json, for verify --proof FILE."
    )
    return prove(keep(command))


def wanted_proof(how: dict[str, Any]) -> tuple[bool, Path | None]:
    """Return whether a proof is asked for, and the file for it, known to be writable."""
    path = checked_output(how["proof"], (".json",), option="--proof")
    return how["prove"] or path is not None, path


def keep_proof(proof: Any, path: Path | None) -> None:
    """Write a proof, where there is one and a file is asked for."""
    if path is None:
        return
    from flowsam.certify import save_proof

    if proof is None:
        click.echo(f"flowsam: nothing is proved, {path} is not written", err=True)
        return
    save_proof(proof, path)
