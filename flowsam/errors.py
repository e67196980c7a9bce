"""Errors of what a caller passed, told from bugs: the command line says them in one line."""

from collections.abc import Mapping


class InputError(ValueError):
    """Bad input: the message says in one line what was wrong, the value, and what to do."""

    def __init__(self, message: object, *, of: str = "") -> None:
        """Keep the message in one line, after the name of the parameter it is of, if of one."""
        self.of = of
        super().__init__(" ".join(f"{of} {message}".split()))

    def named(self, names: Mapping[str, str]) -> str:
        """Return the message with its parameter as it is written elsewhere."""
        return str(self).replace(self.of, names.get(self.of, self.of), 1)


class InputTypeError(InputError, TypeError):
    """The same for an object of another kind."""


class MissingFileError(InputError, FileNotFoundError):
    """The same for a file that is not there."""


class MissingLibraryError(InputError, ImportError):
    """The same for an optional library that is not installed."""
