"""Options as data, their kinds, and their reader: words taken apart, refused, completed."""

import argparse
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from flowsam.errors import InputError


class Kind(NamedTuple):
    """What stands after an option: its word in --help, what it means, what it has to be."""

    word: str
    # an InputError of its own is told after the name of the option
    read: Callable[[str], Any] = str
    needs: str = ""

    def of(self, text: str, option: str) -> Any:
        """Return what a text after an option means."""
        try:
            return self.read(text)
        except InputError as error:
            words = str(error).replace("; e.g.", f"; e.g. {option}")
            raise InputError(f"{option} {words}") from None
        except ValueError:
            raise InputError(f"{option} needs {self.needs}, got {text!r}") from None


def whole(least: int, most: float = math.inf) -> Kind:
    """Return the kind of whole numbers in a range."""

    def convert(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise ValueError
        return number

    return Kind("N", convert, f"a whole number in [{least}, {most}]")


def choice(*words: str) -> Kind:
    """Return the kind of one of several words."""
    needs = f"one of {', '.join(words)}"
    return Kind("|".join(words), lambda text: words[words.index(text)], needs)


def numbers(text: str) -> list[float]:
    """Return comma-separated numbers."""
    found = []
    for entry in text.split(","):
        try:
            found.append(float(entry))
        except ValueError:
            raise InputError(
                f"needs numbers separated by commas, got {entry.strip()!r} in {text!r}; e.g. 1,2"
            ) from None
    return found


TEXT = Kind("TEXT")
FLAG = Kind("")
NUMBER = Kind("NUMBER", float, "a number")
NUMBERS = Kind("A,B,...", numbers)
WHOLE = Kind("N", int, "a whole number")


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
        return self.kind.of(text, self.name)


_FORM = argparse.RawDescriptionHelpFormatter
_HELP = Option("--help", "Show this text.", FLAG, short=["-h"])
_SOURCES = {
    "bash_source": r"""_flowsam() {
  local IFS=$'\n'
  COMPREPLY=($(_FLOWSAM_COMPLETE=words flowsam "${COMP_WORDS[@]:1:COMP_CWORD}"))
}
complete -o default -F _flowsam flowsam""",
    "zsh_source": r"""_flowsam() {
  compadd -- ${(f)"$(_FLOWSAM_COMPLETE=words flowsam "${(@)words[2,CURRENT]}")"} || _files
}
compdef _flowsam flowsam""",
    "fish_source": "complete -c flowsam -a '(_FLOWSAM_COMPLETE=words flowsam "
    "(commandline -opc)[2..] (commandline -ct))'",
}


class Reader(argparse.ArgumentParser):
    """What a command takes: its --help, and its values of words.

    Examples
    --------
    >>> reader = Reader("flowsam", "Says.", [Option("--mu", "", NUMBERS), Option("--p")])
    >>> reader.given(["--mu", "-1,2"])
    Namespace(mu=[-1.0, 2.0], p=None, help=False, typed=['--mu'])
    """

    def __init__(self, name: str, says: str, options: Iterable[Option]) -> None:
        """Declare the options, and --help after them."""
        self.options = [o for o in (*options, _HELP) if o.name.startswith("-")]
        self.places = [o for o in options if not o.name.startswith("-")]
        super().__init__(
            name,
            usage=" ".join([name, "[OPTIONS]", *(o.name for o in self.places)]),
            description=says,
            # without a width argparse asks the terminal, which takes as long as all the rest
            formatter_class=functools.partial(_FORM, width=78),
            add_help=False,
            allow_abbrev=False,
            argument_default=argparse.SUPPRESS,
        )
        for option in self.options:
            default = f" [default: {option.default}]" if option.default else ""
            how: dict[str, Any] = {"dest": option.key, "help": option.help + default}
            if option.kind is FLAG:
                how |= {"action": "append_const", "const": ""}
            else:
                how |= {"action": "append", "metavar": option.kind.word}
            if option.bare:
                how |= {"nargs": "?", "const": option.bare}
            self.add_argument(*option.short, option.name, **how)

    def given(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the value of every option, and in `typed` the names of those typed."""
        known, rest = self.parse_known_args([*self._joined(words)])
        texts = vars(known)
        for word in [word for word in rest if word != "--"]:
            if word.startswith("-") or not self.places:
                raise self._unknown(word.partition("=")[0])
            texts.setdefault(self.places[0].key, []).append(word)
        if _HELP.key in texts:
            return argparse.Namespace(help=True)
        options = [*self.places, *self.options]
        values = {o.key: o.value(texts.get(o.key, ())) for o in options}
        typed = [o.name for o in options if o.key in texts]
        return argparse.Namespace(**values, typed=typed)

    def _joined(self, words: Sequence[str]) -> Iterator[str]:
        """Words with each value joined to its option, as it may begin with a minus sign."""
        names = {o.name for o in self.options}
        takes = {o.name for o in self.options if o.kind.word and not o.bare}
        rest = iter(words)
        for word in rest:
            if word in takes:
                value = next(rest, "")
                if value in names:
                    raise InputError(f"{word} needs a value, got {value}")
                yield f"{word}={value}"
            else:
                yield word

    def _unknown(self, word: str) -> InputError:
        """The refusal of a word that no option takes, with what is meant perhaps."""
        from difflib import get_close_matches

        names = [o.name.lstrip("-") for o in self.options]
        near = " or --".join(get_close_matches(word.lstrip("-"), names))
        move = f"did you mean --{near}?" if near else f"see {self.prog} --help"
        return InputError(f"{word!r} means nothing to {self.prog}; {move}")

    def format_help(self) -> str:
        """Return what --help says, as wide as the terminal; indented paragraphs are kept."""
        import shutil
        import textwrap
        from inspect import cleandoc

        width = shutil.get_terminal_size().columns - 2
        self.description = "\n\n".join(
            part if part.startswith(" ") else textwrap.fill(part, width)
            for part in cleandoc(str(self.description)).split("\n\n")
        )
        self.formatter_class = _FORM
        return super().format_help()

    def error(self, message: str) -> Any:
        """Refuse what argparse cannot take apart."""
        words = message.replace(": ignored explicit argument", " takes no value, got")
        raise InputError(words.removeprefix("argument "))


def completion(asked: str, words: Sequence[str], modules: Mapping[str, Any]) -> str:
    r"""Return the script for a shell, or what may complete the last word, a line each.

    Examples
    --------
    >>> from flowsam.cli import derive, limit
    >>> modules = {"derive": derive, "limit": limit}
    >>> completion("words", ["limit", "--mu", "1,2", "--no"], modules)
    '--no-bias\n--norm\n--no-split'
    >>> completion("words", ["limit", "--loss", "e"], modules)
    'exponential'
    >>> completion("words", ["de"], modules)
    'derive'
    """
    if asked in _SOURCES:
        return _SOURCES[asked]
    *before, typed = words or [""]
    found: Iterable[str] = modules
    if before:
        options = getattr(modules.get(before[0]), "OPTIONS", ())
        kinds = {option.name: option.kind.word for option in options}
        if word := kinds.get(before[-1]):
            kinds = dict.fromkeys(word.split("|") if "|" in word else ())
        found = kinds
    return "\n".join(word for word in found if word.startswith(typed))
