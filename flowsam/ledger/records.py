"""Results on disk with the fingerprint of what they depend on: valid until that changes.

A result is whole or not there, so that going on is to leave out those that are.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flowsam.archive import digest, write_text


def record(path: Path, facts: dict[str, Any], files: Sequence[Path] = ()) -> None:
    """Write facts as JSON in one move, with hashes of them and of the files that belong to them."""
    hashes = {file.name: digest("", file.read_bytes()) for file in files}
    facts = json.loads(json.dumps(facts | {"files": hashes}))
    write_text(path, json.dumps(facts | {"digest": digest(facts)}, indent=1) + "\n")


def recorded(path: Path) -> dict[str, Any]:
    """Return the facts of a record and, for each of its files, whether it is still the same.

    Nothing where it is not there, or not what was written.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts.pop("digest") != digest(facts):
            return {}
        files = {
            name: path.with_name(name).is_file()
            and digest("", path.with_name(name).read_bytes()) == hashed
            for name, hashed in facts["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return facts | {"files": files}
