"""The alpha mode that pixels call for, told apart from what generators write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from asset_processing.document import GlbDocument
from asset_processing.operations import alpha as operation
from asset_processing.operations.alpha import alpha_use, find_alpha
from asset_processing.operations.textures import AlphaUse
from asset_processing.pixels import encode

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb


def _disc(*, soft: float) -> np.ndarray:
    """Alpha of a disc whose edge is ``soft`` pixels wide."""
    y, x = np.indices((128, 128)) - 63.5
    return np.clip((40 - np.hypot(x, y)) / soft * 255, 0, 255).astype(np.uint8)


def _half(value: int) -> np.ndarray:
    plane = np.full((128, 128), 255, dtype=np.uint8)
    plane[:, :64] = value
    return plane


def _model(
    glb: type[Glb],
    plane: np.ndarray,
    *,
    uv_to: float = 1,
    media_type: str = "image/png",
) -> GlbDocument:
    built = glb.builder()
    colors = np.full((*plane.shape, 3), 120, dtype=np.uint8)
    pixels = np.dstack([colors, plane])
    data = encode(pixels, media_type=media_type, lossless=False)
    built.add("textures", source=built.image(data, media_type))
    built.add("materials", pbrMetallicRoughness={"baseColorTexture": {"index": 0}})
    uv = built.accessor([[0, 0], [uv_to, 0], [uv_to, 1], [0, 1]])
    square = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    mesh = built.mesh(square, [0, 1, 2, 0, 2, 3], attributes={"TEXCOORD_0": uv}, material=0)
    built.scene(built.add("nodes", mesh=mesh))
    return GlbDocument.parse(built.to_bytes())


@pytest.mark.parametrize(
    ("plane", "use"),
    [
        (np.full((64, 64), 255, np.uint8), AlphaUse.OPAQUE),
        (np.full((64, 64), 250, np.uint8), AlphaUse.OPAQUE),
        (_half(0), AlphaUse.MASK),
        (_disc(soft=2), AlphaUse.MASK),
        (_disc(soft=80), AlphaUse.BLEND),
        (_half(128), AlphaUse.BLEND),
    ],
)
def test_values_tell_what_they_are_for(plane: np.ndarray, use: AlphaUse) -> None:
    assert alpha_use(plane) is use


@pytest.mark.parametrize("media_type", ["image/png", "image/webp"])
@pytest.mark.parametrize(
    ("plane", "mode"), [(_disc(soft=2), "MASK"), (_half(128), "BLEND"), (_half(255), "OPAQUE")]
)
def test_a_model_that_says_opaque_gets_the_mode_of_its_pixels(
    glb: type[Glb], plane: np.ndarray, mode: str, media_type: str
) -> None:
    if mode == "OPAQUE" and media_type == "image/webp":
        plane = plane.copy()
        plane[0, 0] = 254  # An all-opaque WebP has no alpha channel.
    (finding,) = find_alpha(_model(glb, plane, media_type=media_type))
    assert (finding.material, finding.declared, finding.proposed) == (0, "OPAQUE", mode)


def test_texels_that_no_triangle_shows_do_not_count(glb: type[Glb]) -> None:
    plane = np.full((128, 128), 255, dtype=np.uint8)
    plane[:, 64:] = 0  # The empty part of an atlas.
    (finding,) = find_alpha(_model(glb, plane, uv_to=0.49))
    assert finding.proposed == "OPAQUE"
    (finding,) = find_alpha(_model(glb, plane, uv_to=1))
    assert finding.proposed == "MASK"


def test_materials_without_an_alpha_channel_are_not_decoded(
    glb: type[Glb], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = _model(glb, _half(0), media_type="image/png")
    plain = glb.box()
    colors = np.zeros((4, 4, 3), dtype=np.uint8)
    image = plain.image(encode(colors, media_type="image/png", lossless=True))
    plain.add("textures", source=image)
    plain.add("materials", pbrMetallicRoughness={"baseColorTexture": {"index": 0}})
    plain.add("materials")
    assert find_alpha(GlbDocument.parse(plain.to_bytes())) == []
    monkeypatch.setattr(operation, "MAX_PIXELS", 128 * 128 - 1)
    (finding,) = find_alpha(document)
    assert (finding.use, finding.proposed) == (None, None)


def test_a_broken_picture_is_not_guessed_at(glb: type[Glb]) -> None:
    built = glb.box()
    built.add("textures", source=built.image(glb.png(4, 4)))
    built.add("materials", pbrMetallicRoughness={"baseColorTexture": {"index": 0}})
    (finding,) = find_alpha(GlbDocument.parse(built.to_bytes()))
    assert finding.use is None
