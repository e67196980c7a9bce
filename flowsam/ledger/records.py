"""Results on disk with the fingerprint of what they depend on: valid until that changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flowsam.archive import write_text

__all__ = ["record", "recorded"]


def record(path: Path, facts: dict[str, Any], files: Sequence[Path] = ()) -> None:
    """Write facts as JSON in one move, with the hashes of the files that belong to them."""
    text = json.dumps(
        facts | {"files": {file.name: _digest(file) for file in files}}, indent=1
    )
    write_text(path, text + "\n")


def recorded(path: Path) -> dict[str, Any]:
    """Return the facts of a record and, for each of its files, whether it is still the same."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        files = {
            name: path.with_name(name).is_file()
            and _digest(path.with_name(name)) == hashed
            for name, hashed in facts["files"].items()
        }
        return facts | {"files": files}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}


def _digest(path: Path) -> str:
    """Hash of one file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
