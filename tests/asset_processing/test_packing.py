"""Packed maps hold the channels an engine looks for, with the factors in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from asset_processing.document import GlbDocument, Image
from asset_processing.images import read_header
from asset_processing.operations.packing import pack_maps
from asset_processing.pixels import decode, encode
from asset_processing.profiles import TexturePacking

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb


def _flat(side: int, *color: int) -> bytes:
    pixels = np.full((side, side, 3), color, dtype=np.uint8)
    return encode(pixels, media_type="image/png", lossless=True)


def _model(glb: type[Glb], *images: bytes, **material: object) -> GlbDocument:
    built = glb.box()
    for data in images:
        built.add("textures", source=built.image(data))
    built.add("materials", **material)
    return GlbDocument.parse(built.to_bytes())


def _pixels(data: bytes | None) -> np.ndarray:
    assert data is not None
    return decode(Image(read_header(data), memoryview(data), None))


_ROUGH = {"metallicRoughnessTexture": {"index": 0}}


def test_unity_finds_metalness_in_red_and_smoothness_in_alpha(glb: type[Glb]) -> None:
    surface = {**_ROUGH, "metallicFactor": 0.5, "roughnessFactor": 0.25}
    document = _model(glb, _flat(8, 9, 200, 100), pbrMetallicRoughness=surface)
    (packed,) = pack_maps(document, TexturePacking.METALLIC_SMOOTHNESS)
    pixels = _pixels(packed.data)
    assert pixels.shape == (8, 8, 4)
    assert (pixels == [50, 50, 50, 255 - 50]).all()


def test_unreal_finds_occlusion_roughness_and_metalness(glb: type[Glb]) -> None:
    document = _model(
        glb,
        _flat(8, 9, 200, 100),
        _flat(16, 55, 1, 2),
        pbrMetallicRoughness=_ROUGH,
        occlusionTexture={"index": 1, "strength": 0.5},
    )
    (packed,) = pack_maps(document, TexturePacking.ORM)
    pixels = _pixels(packed.data)
    assert pixels.shape == (16, 16, 3)
    assert (pixels == [155, 200, 100]).all()  # 255 + 0.5 * (55 - 255).


def test_missing_maps_are_white_before_their_factor(glb: type[Glb]) -> None:
    document = _model(glb, _flat(4, 30, 0, 0), occlusionTexture={"index": 0})
    (packed,) = pack_maps(document, TexturePacking.ORM)
    assert (_pixels(packed.data) == [30, 255, 255]).all()
    assert pack_maps(document, TexturePacking.METALLIC_SMOOTHNESS) == []
    assert pack_maps(document, TexturePacking.NONE) == []


@pytest.mark.parametrize(
    ("material", "problem"),
    [
        ({"occlusionTexture": {"index": 1, "texCoord": 1}}, "different texture coordinates"),
        ({"occlusionTexture": {"index": 2}}, "broken"),
    ],
)
def test_what_cannot_be_packed_says_why(
    glb: type[Glb], material: dict[str, object], problem: str
) -> None:
    images = (_flat(4, 1, 2, 3), _flat(4, 1, 2, 3), glb.png(4, 4))
    document = _model(glb, *images, pbrMetallicRoughness=_ROUGH, **material)
    (packed,) = pack_maps(document, TexturePacking.ORM)
    assert packed.data is None
    assert problem in packed.problem
