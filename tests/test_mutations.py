"""The deliberate faults still fit the source; the long profile makes them and catches them all."""

import ast
import dataclasses
from pathlib import Path

import pytest

from tests.mutations import MUTATIONS, caught, main, mutated


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name)
def test_every_fault_fits_the_source_once(mutation):
    assert ast.dump(ast.parse(mutated(mutation))) != ast.dump(
        ast.parse((Path(__file__).parents[1] / mutation.file).read_text(encoding="utf-8"))
    )


def test_a_fault_that_is_not_in_the_source_is_an_error():
    gone = dataclasses.replace(MUTATIONS[0], old="text of an older version")
    with pytest.raises(LookupError, match="has 0 places with 'text of an older version'"):
        mutated(gone)


@pytest.mark.long
def test_a_change_that_is_no_fault_is_not_caught():
    mutation = next(m for m in MUTATIONS if m.name == "half the perturbation")
    harmless = dataclasses.replace(mutation, new=f"{mutation.old}  # the same")
    assert not caught(harmless)


@pytest.mark.long
def test_all_faults_are_caught():
    assert main() == 0
