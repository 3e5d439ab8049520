"""Options are refused all at once."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_processing import InvalidOption, Pivot, ProcessingOptions, process


def test_the_defaults_ask_for_nothing() -> None:
    assert ProcessingOptions().violations() == ()
    assert ProcessingOptions().pivot is Pivot.KEEP


def test_all_violations_are_told_at_once() -> None:
    options = ProcessingOptions(
        scale_factor=-1, height_m=math.nan, longest_side_m=1, max_triangles=0, decimation_target=-5
    )
    fields = [violation.field for violation in options.violations()]
    assert fields == [
        "scale_factor",
        "height_m",
        "scale_factor",
        "height_m",
        "longest_side_m",
        "max_triangles",
        "decimation_target",
    ]


@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_a_length_is_accepted_exactly_where_it_is_finite_and_positive(value: float) -> None:
    accepted = not ProcessingOptions(height_m=value).violations()
    assert accepted == (math.isfinite(value) and value > 0)


def test_process_refuses_wrong_options_before_it_looks_at_the_file() -> None:
    with pytest.raises(InvalidOption) as caught:
        process(b"no GLB", ProcessingOptions(height_m=0, max_vertices=-1))
    assert caught.value.field == "height_m,max_vertices"
    assert "height_m must be" in str(caught.value)
    assert "max_vertices must be" in str(caught.value)
