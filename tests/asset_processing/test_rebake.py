"""New atlas, new textures, the same looks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import trimesh
from PIL import Image
from scipy import ndimage

from asset_processing import BudgetAction, ProcessingOptions, SimplifyMethod, process
from asset_processing.accessors import integers, numbers
from asset_processing.baking import Baking, TexturedMesh
from asset_processing.document import GlbDocument
from asset_processing.issues import IssueCode
from asset_processing.nearest import NearestOnSurface, sample_surface
from asset_processing.operations.rebake import rebake, why_not
from asset_processing.raster import rasterise

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb, GlbBuilder

_SIZE = 128


def _color_of(points: np.ndarray) -> np.ndarray:
    """Colours that say where on the unit ball a point lies."""
    return np.asarray(127.5 + 100 * points)


def _patched_ball() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A ball whose triangles are laid out in pairs, each pair in a square of its own."""
    ball = trimesh.creation.icosphere(subdivisions=3)
    corners = ball.vertices[ball.faces]
    side = int(np.ceil(np.sqrt(len(corners))))
    cell = np.stack(np.divmod(np.arange(len(corners)), side), axis=1)[:, None] / side
    triangle = np.array([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9]]) / side
    return corners.reshape(-1, 3), (cell + triangle).reshape(-1, 2), corners


def _picture(points: np.ndarray, coordinates: np.ndarray, size: int) -> np.ndarray:
    faces = np.arange(len(points)).reshape(-1, 3)
    texels = rasterise(coordinates, faces, width=size, height=size)
    place = np.einsum("nck,nc->nk", points[faces[texels.face]], texels.weights)
    picture = np.zeros((size * size, 3), np.uint8)
    picture[texels.index] = _color_of(place).round()
    empty = np.ones(size * size, dtype=bool)
    empty[texels.index] = False
    nearest = ndimage.distance_transform_edt(
        empty.reshape(size, size), return_distances=False, return_indices=True
    )
    return np.asarray(picture.reshape(size, size, 3)[tuple(nearest)])


def _png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def _painted_ball(glb: type[Glb], *, size: int = 1024) -> GlbBuilder:
    points, coordinates, _ = _patched_ball()
    built = glb.builder()
    image = built.image(_png(_picture(points, coordinates, size)))
    sampler = built.add("samplers", wrapS=33071, wrapT=33071)
    texture = built.add("textures", source=image, sampler=sampler)
    material = built.add("materials", pbrMetallicRoughness={"baseColorTexture": {"index": texture}})
    mesh = built.mesh(
        points,
        np.arange(len(points)),
        material=material,
        attributes={"NORMAL": built.accessor(points), "TEXCOORD_0": built.accessor(coordinates)},
    )
    return built.scene(built.add("nodes", mesh=mesh))


def test_the_surface_keeps_its_colours_on_a_tenth_of_the_triangles(glb: type[Glb]) -> None:
    """Each old triangle is a chart of its own, which no collapse could have kept."""
    document = GlbDocument.parse(_painted_ball(glb).to_bytes())
    assert why_not(document) is None
    done = rebake(document, max_triangles=128)
    assert done
    assert done.triangles <= 128
    result = GlbDocument.parse(document.to_bytes())
    (primitive,) = result.json["meshes"][0]["primitives"]
    attributes = primitive["attributes"]
    positions, coordinates = (numbers(result, attributes[n]) for n in ("POSITION", "TEXCOORD_0"))
    faces = integers(result, primitive["indices"]).reshape(-1, 3)
    picture = np.asarray(Image.open(io.BytesIO(result.images[0].data)), dtype=float)
    face, weights = sample_surface(positions, faces, count=2000)
    place = np.einsum("nck,nc->nk", positions[faces[face]], weights)
    at = np.einsum("nck,nc->nk", coordinates[faces[face]], weights)
    column, row = (at * picture.shape[1::-1]).astype(int).clip(0, 1023).T
    ball = place / np.linalg.norm(place, axis=1, keepdims=True)
    assert np.abs(picture[row, column] - _color_of(ball)).mean() < 2
    mesh = trimesh.Trimesh(positions, faces, merge_norm=True, merge_tex=True)
    assert mesh.is_watertight


def test_the_old_atlas_leaves_the_file_and_the_sampler_stays(glb: type[Glb]) -> None:
    source = _painted_ball(glb, size=256)
    document = GlbDocument.parse(source.to_bytes())
    rebake(document, max_triangles=200)
    result = GlbDocument.parse(document.to_bytes())
    assert len(result.images) == len(result.json["textures"]) == 1
    assert result.json["textures"][0]["sampler"] == 0
    assert (result.images[0].header.width, result.images[0].header.height) == (256, 256)
    assert bytes(result.images[0].data) != bytes(
        GlbDocument.parse(source.to_bytes()).images[0].data
    )


def test_a_vertex_budget_counts_the_new_seams(glb: type[Glb]) -> None:
    options = ProcessingOptions(
        budget_action=BudgetAction.ENFORCE,
        simplify_method=SimplifyMethod.REBAKE,
        max_vertices=150,
    )
    asset = process(_painted_ball(glb, size=128).to_bytes(), options)
    assert asset.report.counts.gpu_vertices <= 150
    assert asset.report.passed


def test_what_cannot_be_baked_is_collapsed_and_the_report_says_why(glb: type[Glb]) -> None:
    built = glb.builder()
    ball = trimesh.creation.icosphere(subdivisions=2)
    mesh = built.mesh(ball.vertices, np.array(ball.faces))
    options = ProcessingOptions(
        budget_action=BudgetAction.ENFORCE,
        simplify_method=SimplifyMethod.REBAKE,
        max_triangles=100,
    )
    asset = process(built.scene(built.add("nodes", mesh=mesh)).to_bytes(), options)
    (issue,) = (each for each in asset.report.issues if each.code is IssueCode.NOT_REBAKED)
    assert "no normals or no texture coordinates" in issue.message
    assert asset.report.counts.triangles == 100


def _square(*, turned: bool, mirrored: bool = False) -> TexturedMesh:
    """A square that faces +Z; v runs downwards, and the texture may lie turned or mirrored."""
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    u, v = points[:, 0], 1 - points[:, 1]
    coordinates = np.stack([1 - v, u] if turned else [1 - u if mirrored else u, v], axis=1)
    normals = np.tile([0.0, 0, 1], (4, 1))
    return TexturedMesh(points, normals, coordinates, np.array([[0, 1, 2], [0, 2, 3]]))


def test_a_normal_map_that_leans_one_way_goes_on_leaning_that_way() -> None:
    """In the turned texture u runs along +Y and up in the picture is -X, so (x, y) is (y, -x)."""
    slope = np.array([0.6, 0.0, 0.8])
    picture = np.tile(((slope + 1) * 127.5).round().astype(np.uint8), (8, 8, 1))
    baking = Baking(_square(turned=False), _square(turned=True), width=8, height=8)
    baked = baking.bake_normals(picture)[4, 4] / 127.5 - 1
    assert baked == pytest.approx([0.0, -0.6, 0.8], abs=0.02)


def test_a_mirrored_texture_mirrors_its_normal_map() -> None:
    slope = np.array([0.6, 0.3, (1 - 0.45) ** 0.5])
    picture = np.tile(((slope + 1) * 127.5).round().astype(np.uint8), (8, 8, 1))
    baking = Baking(_square(turned=False), _square(turned=False, mirrored=True), width=8, height=8)
    baked = baking.bake_normals(picture)[4, 4] / 127.5 - 1
    assert baked == pytest.approx([-0.6, 0.3, slope[2]], abs=0.02)


def test_baking_onto_the_same_surface_gives_the_same_picture() -> None:
    picture = np.random.default_rng(3).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    square = _square(turned=False)
    assert np.array_equal(Baking(square, square, width=16, height=16).bake(picture), picture)


def test_every_texel_of_a_square_is_covered_once() -> None:
    square = _square(turned=False)
    texels = rasterise(square.coordinates, square.triangles, width=9, height=7)
    assert np.array_equal(texels.index, np.arange(63))
    at = np.einsum("nck,nc->nk", square.coordinates[square.triangles[texels.face]], texels.weights)
    row, column = np.divmod(np.arange(63), 9)
    assert at == pytest.approx(np.stack([(column + 0.5) / 9, (row + 0.5) / 7], axis=1), abs=1e-6)


def test_what_lies_outside_of_the_texture_is_not_drawn() -> None:
    outside = np.array([[2.0, 2], [3, 2], [2, 3], [-3, -3], [-2, -3], [-3, -2]])
    texels = rasterise(outside, np.array([[0, 1, 2], [3, 4, 5]]), width=8, height=8)
    assert not len(texels.index)


def test_the_two_sides_of_a_thin_sheet_stay_apart() -> None:
    """The nearest point is on the other side; asked which way it faces, it is not taken."""
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0.01], [1, 0, 0.01], [0, 1, 0.01]])
    faces = np.array([[0, 2, 1], [3, 4, 5]])  # The lower one faces down, the upper one up.
    near_the_upper = np.array([[0.2, 0.2, 0.009]])
    surface = NearestOnSurface(points, faces)
    assert surface.find(near_the_upper).face == [1]
    assert surface.find(near_the_upper, facing=np.array([[0.0, 0, -1]])).face == [0]


def test_the_nearest_points_are_those_that_trimesh_finds() -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    points = np.random.default_rng(5).normal(size=(200, 3))
    found = NearestOnSurface(ball.vertices, np.array(ball.faces)).find(points)
    _, distance, _ = trimesh.proximity.closest_point_naive(ball, points)
    assert found.distance == pytest.approx(distance, abs=1e-9)
    assert found.weights.sum(axis=1) == pytest.approx(1)
    assert found.weights.min() >= 0
