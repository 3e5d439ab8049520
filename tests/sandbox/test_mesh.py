"""The surface: closed, oriented, of the asked size, mapped, and the same every time."""

from __future__ import annotations

import functools
import io
import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.sandbox.mesh import DecodeLimits, MeshOptions, make_mesh

if TYPE_CHECKING:
    from tests.sandbox.conftest import Draw

SMALL = MeshOptions(decimation_target=2000, texture_size=1024, seed=1)


@functools.cache  # Most tests look at the same few meshes from different sides.
def made(picture: bytes, **changes: object) -> bytes:
    return made_anew(picture, **changes)


def made_anew(picture: bytes, **changes: object) -> bytes:
    options = {"decimation_target": 2000, "texture_size": 1024, "seed": 1} | changes
    return make_mesh(picture, MeshOptions(**options), limits=DecodeLimits())[0]


def read(glb: bytes) -> trimesh.Trimesh:
    """Load without merging or cleaning anything."""
    scene = trimesh.load(io.BytesIO(glb), file_type="glb", process=False)
    (mesh,) = scene.geometry.values()
    return mesh


def document(glb: bytes) -> dict[str, Any]:
    (length,) = struct.unpack_from("<I", glb, 12)
    found: dict[str, Any] = json.loads(glb[20 : 20 + length])
    return found


def by_position(mesh: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    """Vertices merged where they are in the very same place, and the triangles over them."""
    points, number = np.unique(np.asarray(mesh.vertices), axis=0, return_inverse=True)
    return points, number.reshape(-1)[np.asarray(mesh.faces)]


def assert_closed(glb: bytes) -> int:
    """Check for a closed, oriented surface; return its Euler characteristic."""
    points, faces = by_position(read(glb))
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    # Each edge once in each direction: two faces that agree which side is outside.
    assert len(np.unique(directed, axis=0)) == len(directed)
    assert {tuple(e) for e in directed} == {tuple(e) for e in directed[:, ::-1]}
    assert len(np.unique(np.sort(faces, axis=1), axis=0)) == len(faces)
    a, b, c = (points[faces[:, k]] for k in range(3))
    assert (np.linalg.norm(np.cross(b - a, c - a), axis=1) > 0).all()
    assert np.einsum("ij,ij->", a, np.cross(b, c)) > 0  # Six times the volume: outwards.
    return int(len(points) - len(np.unique(np.sort(directed, axis=1), axis=0)) + len(faces))


def ring(draw: type[Draw]) -> bytes:
    away = draw.away_from(127.5, 127.5)
    coverage = np.clip(90.5 - away, 0, 1) * np.clip(away - 39.5, 0, 1)
    picture: bytes = draw.on_background(
        coverage, colour=(180, 40, 60), background=(230, 230, 235), kind="PNG"
    )
    return picture


def two_discs(draw: type[Draw]) -> bytes:
    coverage = np.clip(45.5 - draw.away_from(70, 80), 0, 1)
    coverage = np.maximum(coverage, np.clip(55.5 - draw.away_from(180, 170), 0, 1))
    picture: bytes = draw.on_background(
        coverage, colour=(40, 90, 200), background=(245, 240, 220), kind="JPEG"
    )
    return picture


def test_a_disc_becomes_one_closed_ball(draw: type[Draw]) -> None:
    """Euler characteristic 2: a sphere. Any crack, pinch or stray piece would change it."""
    assert assert_closed(made(draw.disc())) == 2


def test_a_ring_keeps_its_hole(draw: type[Draw]) -> None:
    """Euler characteristic 0: a torus."""
    assert assert_closed(made(ring(draw))) == 0


def test_two_subjects_stay_two_closed_pieces(draw: type[Draw]) -> None:
    assert assert_closed(made(two_discs(draw))) == 4


@pytest.mark.parametrize("target", [500, 3000, 20_000])
def test_the_vertex_count_is_within_five_percent_of_the_target(
    draw: type[Draw], target: int
) -> None:
    """Counted by position, as `decimation_target` is documented."""
    for picture in (draw.disc(), ring(draw)):
        points, _ = by_position(read(made(picture, decimation_target=target)))
        assert len(points) == pytest.approx(target, rel=0.05)


def test_the_stats_count_what_is_in_the_file(draw: type[Draw]) -> None:
    glb, stats = make_mesh(draw.disc(), SMALL, limits=DecodeLimits())
    mesh = read(glb)
    assert stats.unique_vertices == len(by_position(mesh)[0])
    assert (stats.vertices, stats.triangles) == (len(mesh.vertices), len(mesh.faces))
    assert stats.size_bytes == len(glb)


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_the_longest_side_is_the_scale_and_the_mesh_is_centred(
    draw: type[Draw], scale: float
) -> None:
    low, high = read(made(draw.disc(), mesh_scale=scale)).bounds
    assert (high - low).max() == pytest.approx(scale, rel=1e-6)
    assert low + high == pytest.approx(np.zeros(3), abs=1e-6 * scale)


def test_up_is_y_and_the_picture_faces_positive_z(draw: type[Draw]) -> None:
    """The disc is darker at its top; its front must be too, above, with u to the right."""
    mesh = read(made(draw.disc()))
    texture = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB"), dtype=float)
    front = np.asarray(mesh.vertex_normals)[:, 2] > 0.5
    u, v = mesh.visual.uv[front].T
    green = texture[((1 - v) * 1023).astype(int), (u * 1023).astype(int), 1]
    x, y = np.asarray(mesh.vertices)[front, 0], np.asarray(mesh.vertices)[front, 1]
    assert np.corrcoef(y, green)[0, 1] < -0.99
    assert np.corrcoef(x, u)[0, 1] > 0.99


def test_normals_are_unit_and_point_out_of_the_faces_around_them(draw: type[Draw]) -> None:
    mesh = read(made(draw.disc()))
    normals = np.asarray(mesh.vertex_normals)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(np.ones(len(normals)), abs=1e-4)
    assert (np.einsum("ij,ikj->ik", mesh.face_normals, normals[mesh.faces]) > 0).mean() > 0.999


def test_only_the_rim_is_there_twice_with_one_normal_for_both(draw: type[Draw]) -> None:
    """The UV seam needs two copies; equal normals keep it from showing."""
    mesh = read(made(draw.disc()))
    points, number = np.unique(np.asarray(mesh.vertices), axis=0, return_inverse=True)
    copies = np.bincount(number.reshape(-1))
    assert copies.max() == 2
    assert copies.sum() - len(points) < 0.15 * len(points)
    order = np.argsort(number.reshape(-1), kind="stable")
    twice = np.flatnonzero(np.diff(number.reshape(-1)[order]) == 0)
    normals = np.asarray(mesh.vertex_normals)
    assert np.array_equal(normals[order[twice]], normals[order[twice + 1]])


def test_texture_coordinates_lie_inside_and_no_background_shows(draw: type[Draw]) -> None:
    """A red disc on green: every colour that a vertex shows must be far from green."""
    away = draw.away_from(127.5, 127.5)
    picture = draw.on_background(
        np.clip(80.5 - away, 0, 1), colour=(220, 20, 20), background=(20, 220, 20), kind="PNG"
    )
    mesh = read(made(picture))
    uv = mesh.visual.uv
    assert 0 <= uv.min() <= uv.max() <= 1
    texture = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB"), dtype=int)
    shown = texture[((1 - uv[:, 1]) * 1023).astype(int), (uv[:, 0] * 1023).astype(int)]
    assert shown[:, 0].min() > 200
    assert shown[:, 1].max() < 40


def test_the_outline_is_smooth(draw: type[Draw]) -> None:
    """The rim of a disc is round to a hundredth of a pixel's step, not a staircase."""
    mesh = read(made(draw.disc(radius=100), decimation_target=20_000))
    points, number = np.unique(np.asarray(mesh.vertices), axis=0, return_inverse=True)
    rim = points[np.bincount(number.reshape(-1)) == 2]
    radius = np.hypot(rim[:, 0], rim[:, 1])
    pixel = 1 / 200
    assert radius.std() < 0.05 * pixel


def test_a_disc_becomes_as_round_as_the_depth_factors_say(draw: type[Draw]) -> None:
    """Half an ellipsoid in front and half behind, flattened by the plateau and by a seed."""
    low, high = read(made(draw.disc())).bounds
    assert 0.5 < (high - low)[2] < 0.75


def test_the_file_has_the_shape_of_the_services_files(draw: type[Draw]) -> None:
    found = document(made(draw.disc()))
    (mesh,) = found["meshes"]
    (primitive,) = mesh["primitives"]
    assert set(primitive["attributes"]) == {"POSITION", "NORMAL", "TEXCOORD_0"}
    kinds = {found["accessors"][i]["componentType"] for i in primitive["attributes"].values()}
    assert kinds == {5126}  # float32
    assert found["accessors"][primitive["indices"]]["componentType"] == 5125  # uint32
    (material,) = found["materials"]
    assert material.get("alphaMode", "OPAQUE") == "OPAQUE"
    assert found["extensionsRequired"] == ["EXT_texture_webp"]
    assert [image["mimeType"] for image in found["images"]] == ["image/webp"] * 2


@pytest.mark.parametrize("size", [1024, 2048])
def test_both_textures_have_the_asked_size(draw: type[Draw], size: int) -> None:
    material = read(made(draw.disc(), texture_size=size)).visual.material
    assert material.baseColorTexture.size == (size, size)
    assert material.metallicRoughnessTexture.size == (size, size)


def test_nothing_is_metal_and_roughness_is_moderate(draw: type[Draw]) -> None:
    packed = read(made(draw.disc())).visual.material.metallicRoughnessTexture
    _, rough, metal = np.moveaxis(np.asarray(packed.convert("RGB")), -1, 0)
    assert metal.max() < 16  # WebP is lossy.
    assert 100 < rough.min() <= rough.max() < 230


def test_the_asset_says_that_it_is_a_sandbox_result(draw: type[Draw]) -> None:
    extras = document(made(draw.disc()))["asset"]["extras"]["assetwright"]
    assert extras["sandbox"] is True
    assert "Not a result of the Pixal3D model" in extras["note"]
    assert extras["parameters"]["seed"] == 1


def test_the_same_seed_gives_the_same_bytes_and_another_another_depth(draw: type[Draw]) -> None:
    picture = draw.disc()
    first, again, other = made(picture), made_anew(picture), made(picture, seed=2)
    assert first == again
    depths = [np.ptp(np.asarray(read(glb).vertices)[:, 2]) for glb in (first, other)]
    assert depths[0] != depths[1]
    assert depths[0] == pytest.approx(depths[1], rel=0.18)  # Plus or minus 8 % of each.


def test_without_a_seed_results_differ(draw: type[Draw]) -> None:
    assert made_anew(draw.disc(), seed=None) != made_anew(draw.disc(), seed=None)


@pytest.mark.parametrize("seed", [-1, 0, 2**70])
def test_any_integer_is_a_seed(draw: type[Draw], seed: int) -> None:
    assert made(draw.disc(), seed=seed) == made_anew(draw.disc(), seed=seed)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    blobs=st.lists(
        st.tuples(st.integers(30, 226), st.integers(30, 226), st.integers(3, 60), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    target=st.integers(300, 4000),
)
def test_any_mask_gives_a_closed_surface(
    draw: type[Draw], blobs: list[tuple[int, int, int, bool]], target: int
) -> None:
    """Touching discs, thin bridges, bites and holes: pinches are where manifolds break."""
    coverage = np.clip(40.5 - draw.away_from(128, 128), 0, 1)
    for x, y, radius, cut in blobs:
        one = np.clip(radius + 0.5 - draw.away_from(x, y), 0, 1)
        coverage = np.minimum(coverage, 1 - one) if cut else np.maximum(coverage, one)
    if (coverage > 0.5).sum() < 2000:
        return
    pixels = np.full((256, 256, 4), 128.0)
    pixels[..., 3] = 255 * coverage
    assert_closed(made_anew(draw.encoded(pixels), decimation_target=target))
