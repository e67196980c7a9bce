"""What the docstring of a figure says: its title, the claims it shows, its caption."""

import re
from inspect import cleandoc

_LETTERS = re.compile(
    r"\bl_(inf|p|\d+(?:\.\d+)?)\b"
    r"|\b(rho|mu|alpha|tau|L)\b(?: ?= ?(\([^()]*\)|[-+.\w]+))?"
)
_RULE = re.compile(r"\\ell_\{?(\\infty|p|[\d.]+)\}?\$?-SAM|\bl_(inf|p|[\d.]+)-SAM")


def heading(words: str) -> tuple[str, tuple[str, ...], str]:
    """Return what the docstring of a figure says: its title, the claims it names, its caption."""
    title, *rest = cleandoc(words).split("\n\n")
    named = re.search(r"^Claims?: ([\w, ]+)", "\n".join(rest[:1]), re.MULTILINE)
    claims = re.findall(r"\w*_\w*|rates", named[1]) if named else []
    return " ".join(title.split()), tuple(claims), " ".join(" ".join(rest[1:]).split())


def rules_named(words: str) -> set[str]:
    """Return the rules that a text names, as run cards do."""
    found = (match[1] or match[2] for match in _RULE.finditer(words))
    return {f"l_{name}".replace("\\infty", "inf") for name in found}


def typeset(words: str) -> str:
    r"""Return a line of plain words with its letters in Matplotlib's mathematics, without spaces.

    Examples
    --------
    >>> typeset("l_inf-SAM, rho=1, mu=(1, 2), L = 2, a$b")
    '$\\ell_{\\infty}$-SAM, $\\rho=1$, $\\mu=(1,2)$, $L=2$, a\\$b'
    """
    return _LETTERS.sub(_formula, words.replace("$", r"\$"))


def _formula(found: re.Match[str]) -> str:
    """A norm, or a letter with its value."""
    norm, letter, value = found.groups()
    if norm:
        return rf"$\ell_{{{norm.replace('inf', chr(92) + 'infty')}}}$"
    shown = letter if letter == "L" else rf"\{letter}"
    return f"${shown}={value.replace(' ', '')}$" if value else f"${shown}$"
