"""Nouns of a proof as text and back: every number exactly, doubles in hexadecimal."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from flowsam.certify.balls import arb, number, text
from flowsam.errors import InputError

_READ: dict[Any, Callable[[Any], Any]] = {
    arb: number,
    float: float.fromhex,
    int: int,
    bool: bool,
}


@dataclass(frozen=True)
class Written:
    """A noun whose fields are kept as text; those of a `problem` beside its own."""

    FORMAT: ClassVar[str] = ""  # of a noun that a file may hold

    def facts(self) -> dict[str, Any]:
        """Return the fields as text."""
        found = {"format": self.FORMAT} if self.FORMAT else {}
        for name, value in vars(self).items():
            found |= _plain(value) if name == "problem" else {name: _plain(value)}
        return found

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Any:
        """Return the noun of a text."""
        kinds = get_type_hints(cls)
        words = facts | {"problem": facts}
        parts = {k.name: _read(kinds[k.name], words[k.name]) for k in fields(cls)}
        return cls(**parts)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Written):
        return value.facts()
    if isinstance(value, tuple):
        return list(map(_plain, value))
    if isinstance(value, float):
        return value.hex()
    return text(value) if isinstance(value, arb) else value


def _read(kind: Any, word: Any) -> Any:
    """What a value of JSON means for a field of a kind."""
    if kind in _READ:
        return _READ[kind](word)
    if isinstance(kind, type) and issubclass(kind, Written):
        return kind.of(word)
    first, *rest = get_args(kind)
    if get_origin(kind) is not tuple:  # `first | None`
        return None if word is None else _read(first, word)
    if rest != [...] and len(word) != 1 + len(rest):
        raise InputError(f"{len(word)} numbers where {1 + len(rest)} belong")
    return tuple(_read(first, part) for part in word)
