"""Coverage, overlap and texel density of surfaces whose figures are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from asset_processing.document import GlbDocument
from asset_processing.measure import surface_of
from asset_processing.surface import read_surface
from asset_processing.uv import UvFacts, covered_texels, measure_uv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb, GlbBuilder

_SQUARE = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
_FACES = [[0, 1, 2], [0, 2, 3]]


def _sheet(
    glb: type[Glb], *uvs: list[list[float]], size: tuple[int, int] = (64, 64), **node: object
) -> GlbBuilder:
    """A square metre for each set of coordinates, all with one textured material."""
    built = glb.builder()
    built.add("textures", source=built.image(glb.png(*size)))
    texture = {"index": 0}
    built.add("materials", pbrMetallicRoughness={"baseColorTexture": texture})
    nodes = []
    for uv in uvs:
        attributes = {"TEXCOORD_0": built.accessor(uv)}
        mesh = built.mesh(_SQUARE, _FACES, attributes=attributes, material=0)
        nodes.append(built.add("nodes", mesh=mesh, **node))
    return built.scene(*nodes)


def _box(low: float, high: float) -> list[list[float]]:
    return [[low, low], [high, low], [high, high], [low, high]]


def _measured(built: GlbBuilder) -> UvFacts:
    document = GlbDocument.parse(built.to_bytes())
    found = measure_uv(document, read_surface(document, max_triangles=1000))
    assert found is not None
    return found


def test_a_full_texture_is_covered_once(glb: type[Glb]) -> None:
    facts = _measured(_sheet(glb, _box(0, 1)))
    assert facts == UvFacts(coverage=1, overlap=0, outside=0, texel_density_px_m=64)


def test_coverage_is_the_area_used_and_overlap_the_share_used_twice(glb: type[Glb]) -> None:
    facts = _measured(_sheet(glb, _box(0, 0.5), _box(0.25, 0.75)))
    assert facts.coverage == pytest.approx(0.25 + 0.25 - 0.0625)
    assert facts.overlap == pytest.approx(0.0625 / (0.5 - 0.0625))
    assert facts.texel_density_px_m == pytest.approx(32)


def test_a_mesh_that_two_nodes_draw_overlaps_itself(glb: type[Glb]) -> None:
    built = _sheet(glb, _box(0, 0.5))
    built.json["scenes"][0]["nodes"].append(built.add("nodes", mesh=0, translation=[5, 0, 0]))
    facts = _measured(built)
    assert (facts.coverage, facts.overlap) == (0.25, 1)


def test_tiles_wrap_around(glb: type[Glb]) -> None:
    facts = _measured(_sheet(glb, _box(3.5, 4.5)))
    assert (facts.coverage, facts.overlap, facts.outside) == (1, 0, 1)


def test_density_follows_the_world_and_both_sides_of_the_texture(glb: type[Glb]) -> None:
    built = _sheet(glb, _box(0, 1), size=(128, 32), scale=[4, 4, 1])
    assert _measured(built).texel_density_px_m == pytest.approx((128 * 32) ** 0.5 / 4)


def test_a_texture_transform_moves_density_and_covered_texels(glb: type[Glb]) -> None:
    built = _sheet(glb, _box(0, 1))
    texture = built.json["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
    moved = {"scale": [0.5, 0.5], "offset": [0.25, 0.5], "rotation": np.pi / 2}
    texture["extensions"] = {"KHR_texture_transform": moved}
    assert _measured(built).texel_density_px_m == pytest.approx(32)
    document = GlbDocument.parse(built.to_bytes())
    points = covered_texels(document, read_surface(document, max_triangles=10), texture)
    assert points is not None
    # A quarter turn takes (1, 1) to (1, -1): the square lies at 0.25..0.75, 0..0.5.
    low, high = points.min(axis=0), points.max(axis=0)
    assert np.abs(low - [0.25, 0]).max() < 2 / 512
    assert np.abs(high - [0.75, 0.5]).max() < 2 / 512


def test_without_coordinates_there_is_nothing_to_measure(glb: type[Glb]) -> None:
    document = GlbDocument.parse(glb.box().to_bytes())
    assert measure_uv(document, read_surface(document, max_triangles=100)) is None


def test_every_samples_figures_are_shares(sample: Path) -> None:
    document = GlbDocument.parse(sample.read_bytes())
    surface = surface_of(document)
    facts = None if surface is None else measure_uv(document, surface)
    if facts is not None:
        assert 0 <= facts.coverage <= 1
        assert 0 <= facts.overlap <= 1
        assert 0 <= facts.outside <= 1
