"""Completion in a shell: the line that asks for it, and what may stand where the cursor is."""

from collections.abc import Mapping, Sequence
from typing import Any

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
    found = [word for word in _next(before, modules) if word.startswith(typed)]
    return "\n".join(found)


def _next(before: Sequence[str], modules: Mapping[str, Any]) -> Sequence[str]:
    """The words that may follow: commands, the choices of an option, or options."""
    if not before:
        return [*modules]
    module = modules.get(before[0])
    options = module.OPTIONS if module else ()
    for option in options:
        if option.name == before[-1] and option.kind.word:
            word = option.kind.word
            return word.split("|") if "|" in word else ()
    return [option.name for option in options]
