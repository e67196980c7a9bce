"""Options as data, and the kinds of their values."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flowsam.errors import InputError


class Kind(NamedTuple):
    """What stands after an option: its word in --help, and what a text after that option means."""

    word: str
    read: Callable[[str, str], Any]


def kind(word: str, convert: Callable[[str], Any], needs: str) -> Kind:
    """Return the kind of texts that can be converted."""

    def read(text: str, option: str) -> Any:
        try:
            return convert(text)
        except ValueError:
            raise InputError(f"{option} needs {needs}, got {text!r}") from None

    return Kind(word, read)


def whole(least: int, most: float = math.inf) -> Kind:
    """Return the kind of whole numbers in a range."""

    def convert(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise ValueError
        return number

    return kind("N", convert, f"a whole number in [{least}, {most}]")


def choice(*words: str) -> Kind:
    """Return the kind of one of several words."""
    needs = f"one of {', '.join(words)}"
    return kind("|".join(words), lambda text: words[words.index(text)], needs)


def numbers(text: str, option: str) -> list[float]:
    """Return comma-separated numbers."""
    found = []
    for entry in text.split(","):
        try:
            found.append(float(entry))
        except ValueError:
            raise InputError(
                f"{option} needs numbers separated by commas, got {entry.strip()!r} in {text!r}; "
                f"e.g. {option} 1,2"
            ) from None
    return found


TEXT = Kind("TEXT", lambda text, _: text)
FLAG = Kind("", TEXT.read)
NUMBER = kind("NUMBER", float, "a number")
NUMBERS = Kind("A,B,...", numbers)
WHOLE = kind("N", int, "a whole number")


class Option(NamedTuple):
    """An option, or an argument if its name has no dash; defaults are as one would type them."""

    name: str
    help: str = ""
    kind: Kind = TEXT
    default: str = ""
    parameter: str = ""  # what the option gives, if it is not called so
    bare: str = ""  # the value of an option without one
    short: Sequence[str] = ()
    many: bool = False

    @property
    def key(self) -> str:
        """The name under which a command finds the value."""
        return self.parameter or self.name.lstrip("-").replace("-", "_").lower()

    def value(self, typed: Sequence[str]) -> Any:
        """Return what the texts after the option mean, or its default where there are none."""
        if len(typed) > 1 and not self.many:
            raise InputError(f"{self.name} is given {len(typed)} times; give it once")
        if self.kind is FLAG:
            return bool(typed) != self.name.startswith("--no-")
        default = [self.default] if self.default else []
        values = tuple(map(self._read, typed or default))
        return values if self.many else (*values, None)[0]

    def _read(self, text: str) -> Any:
        """What a text means; an empty one is what an unset variable of a shell leaves."""
        if not text.strip():
            raise InputError(
                f"{self.name} needs a value, got {text!r}; give one or leave it out"
            )
        return self.kind.read(text, self.name)
