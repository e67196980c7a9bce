"""Public functions: their arguments are what their annotations say, or are refused in one line."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import numpy as np

from flowsam.errors import InputTypeError
from flowsam.inputs import real_array, real_number, shown, whole_number, yes_or_no

# what leaves the range of doubles becomes inf or 0 without a word, whatever the caller has set
QUIET: dict[str, Any] = {
    "divide": "warn",
    "over": "ignore",
    "invalid": "warn",
    "under": "ignore",
}
Verb = TypeVar("Verb", bound=Callable[..., Any])
Convert = Callable[[Any], Any]
_EXAMPLES = {
    "Batches": "Batches(batch, shard, seed)",
    "Data": "single_example(mu)",
    "Flow": "Flow(single_example(mu), linf(rho))",
    "Perturbation": "linf(rho)",
    "Portrait": "phase_portrait(flow, x, y)",
}


def public(verb: Verb) -> Verb:
    """Return a function that checks its arguments by its own annotations.

    Nouns by their class, `ArrayLike` becomes finite float64, `float` and `int` one number; the rest
    is the function's own business. No warning where doubles leave their range.
    """

    @functools.cache
    def converters() -> dict[str, Convert]:
        plain = inspect.unwrap(verb)
        given = inspect.signature(verb).parameters.items()
        return {name: _converter(str(p.annotation), plain, name) for name, p in given}

    @functools.wraps(verb)
    def call(*args: Any, **kwargs: Any) -> Any:
        known = converters()
        # what it does not take, Python refuses
        checked = [to(value) for to, value in zip(known.values(), args, strict=False)]
        named = {
            name: known[name](value) if name in known else value
            for name, value in kwargs.items()
        }
        with np.errstate(**QUIET):
            return verb(*checked, *args[len(checked) :], **named)

    return cast(Verb, call)


def _converter(annotation: str, verb: Callable[..., Any], name: str) -> Convert:
    """What turns an argument into what its annotation says, or refuses it."""
    if annotation.endswith(" | None"):
        convert = _converter(annotation.removesuffix(" | None"), verb, name)
        return lambda value: None if value is None else convert(value)
    if annotation in _NUMBERS:
        return functools.partial(_NUMBERS[annotation], name=name)
    kind = _KINDS.get(annotation.partition("[")[0]) or verb.__globals__.get(annotation)
    if isinstance(kind, type):
        return functools.partial(
            _instance, kind=kind, needs=f"{verb.__name__} needs {name}"
        )
    return lambda value: value


def _whole(value: object, name: str) -> int:
    """A whole number."""
    return whole_number(value, f"{name} needs a whole number")


_NUMBERS: dict[str, Callable[..., Any]] = {
    "ArrayLike": real_array,
    "float": real_number,
    "bool": yes_or_no,
    "int": _whole,
    "int | np.integer": _whole,
}
_KINDS: dict[str, Any] = {
    "Any": object,
    "str": str,
    "Mapping": Mapping,
    "Callable": Callable,
    "Start": Callable,
    "Settled": Callable,
}


def _instance(value: object, kind: type, needs: str) -> Any:
    """An object of a kind, or a refusal."""
    if isinstance(value, kind):
        return value
    hint = f"; e.g. {_EXAMPLES[kind.__name__]}" if kind.__name__ in _EXAMPLES else ""
    raise InputTypeError(f"{needs} to be a {kind.__name__}, got {shown(value)}{hint}")
