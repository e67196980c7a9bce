"""Known numbers of internal functions: every section of tests/worked/*.md is run as a doctest."""

import doctest
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent / "worked"


def sections():
    """Each "## name" with its examples, as (name, text)."""
    for path in sorted(FOLDER.glob("*.md")):
        for section in path.read_text(encoding="utf-8").split("\n## ")[1:]:
            name, _, text = section.partition("\n")
            yield pytest.param(text, id=name)


@pytest.mark.parametrize("text", list(sections()))
def test_the_numbers_are_as_written(text):
    test = doctest.DocTestParser().get_doctest(text, {"np": np}, "worked", None, 0)
    assert test.examples
    said = []
    failed, _ = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(
        test, out=said.append
    )
    assert not failed, "".join(said)
