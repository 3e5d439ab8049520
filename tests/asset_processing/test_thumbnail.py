"""The picture shows the model: its place, its shape, its colours, what is in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import trimesh

from asset_processing import InvalidOption, IssueCode, ProcessingOptions, process
from asset_processing.document import GlbDocument, Image
from asset_processing.images import read_header
from asset_processing.operations import thumbnail as operation
from asset_processing.operations.thumbnail import render_thumbnail
from asset_processing.pixels import decode, encode
from asset_processing.surface import Unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb, GlbBuilder


def _picture(built: GlbBuilder, size_px: int = 64) -> np.ndarray:
    data = render_thumbnail(GlbDocument.parse(built.to_bytes()), size_px=size_px)
    pixels = decode(Image(read_header(data), memoryview(data), None))
    assert pixels.shape == (size_px, size_px, 4)
    return pixels


def _facing(
    glb: type[Glb], *, lit: bool = False, uv: object = None, **material: object
) -> GlbBuilder:
    """A square that stands across the line of sight, with one unlit material."""
    built = glb.builder()
    extensions = {} if lit else {"KHR_materials_unlit": {}}
    built.add("materials", extensions=extensions, **material)
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) @ operation._view()
    attributes = {} if uv is None else {"TEXCOORD_0": built.accessor(uv)}
    mesh = built.mesh(corners, [0, 1, 2, 0, 2, 3], attributes=attributes, material=0)
    return built.scene(built.add("nodes", mesh=mesh))


def _texture(built: GlbBuilder, pixels: np.ndarray) -> None:
    data = encode(pixels, media_type="image/png", lossless=True)
    built.add("textures", source=built.image(data))
    surface = built.json["materials"][0].setdefault("pbrMetallicRoughness", {})
    surface["baseColorTexture"] = {"index": 0}


_UV = [[0, 1], [1, 1], [1, 0], [0, 0]]


def test_a_model_fills_the_picture_but_for_its_margin(glb: type[Glb]) -> None:
    alpha = _picture(_facing(glb))[..., 3]
    inside = np.flatnonzero(alpha.any(axis=0))
    assert abs(inside[0] - 64 * 0.04) <= 1
    assert abs(63 - inside[-1] - 64 * 0.04) <= 1
    assert alpha[0, 0] == 0
    assert (alpha[5:-5, 5:-5] == 255).all()


def test_an_unlit_colour_is_drawn_as_it_is(glb: type[Glb]) -> None:
    factor = {"baseColorFactor": [0.2158605, 0.5, 0, 1]}  # Light for sRGB 128, 188, 0.
    color = _picture(_facing(glb, pbrMetallicRoughness=factor))[32, 32]
    assert color.tolist() == [128, 188, 0, 255]


def test_a_texture_stands_upright_and_is_not_mirrored(glb: type[Glb]) -> None:
    quarters = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 0]]], np.uint8)
    built = _facing(glb, uv=_UV)
    _texture(built, quarters.repeat(32, axis=0).repeat(32, axis=1))
    picture = _picture(built)[..., :3]
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        shown = picture[16 + 32 * row, 16 + 32 * column]
        assert np.abs(shown.astype(int) - quarters[row, column]).max() <= 2


def test_what_is_nearer_hides_what_is_behind(glb: type[Glb]) -> None:
    built = _facing(glb, pbrMetallicRoughness={"baseColorFactor": [0, 0, 1, 1]})
    front = {"baseColorFactor": [1, 0, 0, 1]}
    unlit = {"KHR_materials_unlit": {}}
    built.add("materials", pbrMetallicRoughness=front, extensions=unlit)
    corners = np.array([[-1, -1, 1], [0, -1, 1], [0, 1, 1], [-1, 1, 1]]) @ operation._view()
    mesh = built.mesh(corners, [0, 1, 2, 0, 2, 3], material=1)
    built.json["scenes"][0]["nodes"].append(built.add("nodes", mesh=mesh))
    for nodes in (built.json["scenes"][0]["nodes"], built.json["scenes"][0]["nodes"][::-1]):
        built.json["scenes"][0]["nodes"] = list(nodes)
        picture = _picture(built)
        assert picture[32, 16].tolist() == [255, 0, 0, 255]
        assert picture[32, 48].tolist() == [0, 0, 255, 255]


def test_cut_outs_have_holes_and_opaque_materials_have_none(glb: type[Glb]) -> None:
    pixels = np.full((32, 32, 4), 255, dtype=np.uint8)
    pixels[:, 16:, 3] = 0
    for mode, hole in (("MASK", 0), ("BLEND", 0), ("OPAQUE", 255)):
        built = _facing(glb, uv=_UV, alphaMode=mode)
        _texture(built, pixels)
        picture = _picture(built)
        assert picture[32, 16, 3] == 255
        assert picture[32, 52, 3] == hole


def test_vertex_colours_and_emission_are_light(glb: type[Glb]) -> None:
    built = _facing(glb, emissiveFactor=[0, 1, 0])
    attributes = built.json["meshes"][0]["primitives"][0]["attributes"]
    attributes["COLOR_0"] = built.accessor(np.tile([1, 0, 0, 1], (4, 1)))
    assert _picture(built)[32, 32].tolist() == [255, 255, 0, 255]


def test_a_round_thing_is_lit_from_above(glb: type[Glb]) -> None:
    sphere = trimesh.creation.icosphere(subdivisions=4)
    built = glb.builder()
    normals = {"NORMAL": built.accessor(sphere.vertices)}
    mesh = built.mesh(sphere.vertices, sphere.faces, attributes=normals)
    built.scene(built.add("nodes", mesh=mesh))
    picture = _picture(built, 128)
    grey = picture[..., 0].astype(int)
    assert grey[30, 64] > grey[64, 20] > grey[118, 50] > 0
    covered = (picture[..., 3] / 255).sum()
    assert covered == pytest.approx(np.pi * (128 * 0.92 / 2) ** 2, rel=0.01)


def test_the_same_model_gives_the_same_picture(glb: type[Glb]) -> None:
    document = GlbDocument.parse(glb.box().to_bytes())
    assert render_thumbnail(document, size_px=32) == render_thumbnail(document, size_px=32)


def test_too_much_to_draw_is_refused(glb: type[Glb], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "_MAX_TRIED", 1000)
    with pytest.raises(Unreadable, match="too many to draw"):
        render_thumbnail(GlbDocument.parse(glb.box().to_bytes()), size_px=64)


@pytest.mark.parametrize("size", [0, 15, 1025])
def test_a_wrong_size_names_the_right_ones(glb: type[Glb], size: int) -> None:
    with pytest.raises(InvalidOption, match=f"thumbnail_px must be 16 to 1024, not {size}"):
        process(glb.box().to_bytes(), ProcessingOptions(thumbnail_px=size))


def test_every_sample_is_drawn_or_says_why_not(sample: Path) -> None:
    asset = process(sample.read_bytes(), ProcessingOptions(thumbnail_px=48))
    refused = [i for i in asset.report.issues if i.code is IssueCode.THUMBNAIL_NOT_MADE]
    if refused:
        assert "compressed" in refused[0].message or "more than" in refused[0].message
        return
    (output,) = asset.outputs
    assert (output.name, output.media_type) == ("thumbnail.png", "image/png")
    data = bytes(output.data)
    pixels = decode(Image(read_header(data), memoryview(data), None))
    assert (pixels[..., 3] > 0).mean() > 0.005
