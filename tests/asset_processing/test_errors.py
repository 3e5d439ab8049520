"""Errors cross from a worker process to the one that answers for them."""

from __future__ import annotations

import pickle

import pytest

from asset_processing import GlbTooLarge, InvalidGlb, InvalidOption, ProcessingError, UnsupportedGlb

_CONCRETE = (InvalidGlb, GlbTooLarge, UnsupportedGlb, InvalidOption)


@pytest.mark.parametrize("kind", _CONCRETE)
def test_an_error_survives_pickling_with_its_metadata(kind: type[ProcessingError]) -> None:
    error = kind("Something is wrong.", pointer="/nodes/3", field="height_m")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # Our own bytes.
    assert type(copy) is kind
    assert str(copy) == "Something is wrong."
    assert copy.metadata == {"pointer": "/nodes/3", "field": "height_m"}


def test_every_concrete_error_has_a_reason_of_its_own() -> None:
    assert set(ProcessingError.__subclasses__()) == set(_CONCRETE)
    assert len({kind.reason for kind in _CONCRETE}) == len(_CONCRETE)


def test_an_invalid_option_names_its_field() -> None:
    assert InvalidOption("No.", field="height_m").field == "height_m"
    assert InvalidOption("No.").field == ""
