"""Errors of what a caller passed, told from bugs: the command line says them in one line."""

from __future__ import annotations

__all__ = ["InputError", "InputTypeError", "MissingFileError", "MissingLibraryError"]


class InputError(ValueError):
    """Bad input: the message says in one line what was wrong, the value, and what to do."""

    def __init__(self, message: object) -> None:
        """Keep the message in one line, whatever a value in it looks like."""
        super().__init__(" ".join(str(message).split()))


class InputTypeError(InputError, TypeError):
    """The same for an object of another kind."""


class MissingFileError(InputError, FileNotFoundError):
    """The same for a file that is not there."""


class MissingLibraryError(InputError, ImportError):
    """The same for an optional library that is not installed."""
