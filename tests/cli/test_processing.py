"""The arguments of post-processing mean the same here and on a server."""

from __future__ import annotations

import dataclasses

import pytest

from asset_processing import ProcessingOptions
from assetwright._request import processing
from assetwright.cli._arguments import Parser, add_processing, has_processing, processing_from
from assetwright.cli._exit import UsageError
from assetwright.cli._local import local_options
from server.rpc.processing import processing_options

_EVERYTHING = (
    *("--fit-box", "1,2,3", "--max-triangles", "900", "--max-vertices", "800"),
    *("--enforce-budget", "--simplify-method", "rebake", "--pivot", "base"),
    *("--forward-axis", "minus_z", "--engine", "unity", "--decode", "always", "--bake"),
    *("--normals", "--tangents", "--weld", "--prune", "--max-texture-px", "512"),
    *("--texture-type", "image/png", "--texture-packing", "orm", "--alpha", "apply"),
    *("--lod", "0.5", "--lod", "100", "--lod-placement", "nodes"),
    *("--collision", "convex_decomposition", "--collision-parts", "4"),
    *("--collision-method", "coacd", "--collision-placement", "nodes"),
    *("--thumbnail-px", "64", "--export", "stl", "--export", "obj", "--no-provenance"),
)


def _parsed(*arguments: str) -> ProcessingOptions:
    """What asset_processing does here; asserts that a server does the same."""
    parser = Parser(prog="a test")
    add_processing(parser)
    wanted = processing_from(parser.parse_args(arguments))
    here = local_options(wanted)
    message = processing(wanted)
    assert message is not None
    problems: list[object] = []
    there = processing_options(message, problems)  # type: ignore[arg-type]
    assert problems == []
    assert dataclasses.replace(there, provenance=None) == here
    assert (there.provenance is None) is ("--no-provenance" in arguments)
    assert here.violations() == ()
    return here


def test_every_argument_reaches_the_processing_here_and_there() -> None:
    options = _parsed(*_EVERYTHING)
    plain = ProcessingOptions()
    same = {
        field.name
        for field in dataclasses.fields(options)
        if getattr(options, field.name) == getattr(plain, field.name)
    }
    scales = {"scale_factor", "height_m", "longest_side_m"}
    # The server knows the target and the origin; textures beside the model are always saved.
    assert same == scales | {"decimation_target", "extract_textures", "provenance"}
    assert [lod.ratio or lod.triangles for lod in options.lods] == [0.5, 100]


@pytest.mark.parametrize("scale", ["--height-m", "--longest-side-m", "--scale"])
def test_one_size_is_taken(scale: str) -> None:
    options = _parsed(scale, "2.5")
    names = ("height_m", "longest_side_m", "scale_factor")
    assert [getattr(options, name) for name in names].count(2.5) == 1


def test_nothing_asked_is_nothing() -> None:
    assert _parsed() == ProcessingOptions()
    parser = Parser(prog="a test")
    add_processing(parser)
    assert not has_processing(parser.parse_args([]))


@pytest.mark.parametrize(
    "wrong",
    [
        ["--fit-box", "1,2"],
        ["--lod", "half"],
        ["--engine", "quake"],
        ["--export", "fbx"],
        ["--height-m", "1", "--fit-box", "1,1,1"],
    ],
)
def test_wrong_values_are_usage_errors(wrong: list[str]) -> None:
    parser = Parser(prog="a test")
    add_processing(parser)
    with pytest.raises(UsageError, match=wrong[0] if len(wrong) == 2 else "fit-box"):
        parser.parse_args(wrong)
