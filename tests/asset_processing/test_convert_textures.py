"""Images become what was wanted, references follow, and nothing else changes by a byte."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from asset_processing.document import GlbDocument, Image
from asset_processing.images import read_header
from asset_processing.operations.convert_textures import NotConverted, Wanted, convert_textures
from asset_processing.pixels import decode, encode, is_lossless
from asset_processing.profiles import PROFILES, EngineProfile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb, GlbBuilder

_BASE = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
_NORMAL = {"normalTexture": {"index": 0}}
_KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<6I", 0, 1, 64, 64, 0, 0) + bytes(48)


def _wanted(*, size: int | None = None, to: str | None = None, engine: str = "generic") -> Wanted:
    profile = PROFILES[EngineProfile(engine)]
    return Wanted(
        max_size_px=size,
        media_type=to,
        accepted=profile.texture_media_types,
        otherwise=profile.texture_media_type,
    )


def _noise(channels: int = 3, side: int = 32) -> np.ndarray:
    values = np.random.default_rng(3).integers(0, 256, (side, side, channels), dtype=np.uint8)
    values[..., 3:] = 255
    return values


def _file(pixels: np.ndarray, media_type: str, *, lossless: bool = True) -> bytes:
    return encode(pixels, media_type=media_type, lossless=lossless)


def _model(glb: type[Glb], *images: bytes, **material: object) -> GlbBuilder:
    """The first image by its extension where it is WebP, with the second as its fallback."""
    built = glb.box()
    numbers = [built.image(data, read_header(data).media_type) for data in images]
    texture: dict[str, object] = {"source": 0}
    if read_header(images[0]).media_type == "image/webp":
        built.json["extensionsUsed"] = ["EXT_texture_webp", "VENDOR_kept"]
        texture = {"extensions": {"EXT_texture_webp": {"source": 0}}}
        if len(numbers) > 1:
            texture["source"] = 1
        else:
            built.json["extensionsRequired"] = ["EXT_texture_webp"]
    built.add("textures", **texture)
    built.add("materials", **material)
    return built


def _changed(built: GlbBuilder, wanted: Wanted) -> tuple[GlbDocument, list[NotConverted]]:
    document = GlbDocument.parse(built.to_bytes())
    refused = convert_textures(document, wanted)
    return GlbDocument.parse(document.to_bytes()), refused


def _pixels(data: bytes | memoryview) -> np.ndarray:
    return decode(Image(read_header(data), memoryview(data), None))


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_nothing_wanted_changes_no_byte(glb: type[Glb], media_type: str) -> None:
    source = _model(glb, _file(_noise(), media_type), **_BASE).to_bytes()
    document = GlbDocument.parse(source)
    assert convert_textures(document, _wanted(size=32)) == []
    assert document.to_bytes() == source


def test_webp_becomes_png_for_engines_that_refuse_it_with_every_pixel(glb: type[Glb]) -> None:
    pixels = _noise(4)
    pixels[:4, :, 3] = 7
    built = _model(glb, _file(pixels, "image/webp"), **_BASE)
    document, refused = _changed(built, _wanted(engine="unreal"))
    assert refused == []
    assert document.json["textures"] == [{"source": 0}]
    assert document.json["extensionsUsed"] == ["VENDOR_kept"]
    assert "extensionsRequired" not in document.json
    assert document.images[0].declared == document.images[0].header.media_type == "image/png"
    assert np.array_equal(_pixels(document.images[0].data), pixels)


def test_a_fallback_is_used_instead_and_the_webp_leaves(glb: type[Glb]) -> None:
    fallback = _file(_noise(side=16), "image/jpeg")
    built = _model(glb, _file(_noise(), "image/webp"), fallback, **_BASE)
    del built.json["extensionsUsed"][1]  # Of an unknown extension no index could be trusted.
    document, refused = _changed(built, _wanted(engine="unity"))
    assert refused == []
    assert [bytes(image.data) for image in document.images] == [fallback]
    assert document.json["textures"] == [{"source": 0}]
    assert "extensionsUsed" not in document.json


def test_png_becomes_webp_behind_its_extension(glb: type[Glb]) -> None:
    data = _file(_noise(), "image/png")
    for material, lossless in ((_BASE, False), (_NORMAL, True)):
        document, refused = _changed(_model(glb, data, **material), _wanted(to="image/webp"))
        assert refused == []
        extension = {"extensions": {"EXT_texture_webp": {"source": 0}}}
        assert document.json["textures"] == [extension]
        assert document.json["extensionsRequired"] == ["EXT_texture_webp"]
        assert document.images[0].header.media_type == "image/webp"
        assert is_lossless(document.images[0]) is lossless  # Data is not blurred.


def test_jpeg_is_for_opaque_colours_alone(glb: type[Glb]) -> None:
    solid = _file(_noise(4), "image/png")
    document, refused = _changed(_model(glb, solid, **_BASE), _wanted(to="image/jpeg"))
    assert (document.images[0].header.media_type, refused) == ("image/jpeg", [])

    clear = _noise(4)
    clear[0, 0, 3] = 0
    for data, material, reason in (
        (_file(clear, "image/webp"), _BASE, "JPEG has no alpha"),
        (_file(_noise(), "image/webp"), _NORMAL, "JPEG would damage data"),
    ):
        document, (problem,) = _changed(_model(glb, data, **material), _wanted(to="image/jpeg"))
        assert document.images[0].header.media_type == "image/png"
        assert reason in problem.reason
        assert np.array_equal(_pixels(document.images[0].data), _pixels(data))


def test_what_is_png_and_may_not_be_jpeg_keeps_its_bytes(glb: type[Glb]) -> None:
    source = _model(glb, _file(_noise(), "image/png"), **_NORMAL).to_bytes()
    document = GlbDocument.parse(source)
    (problem,) = convert_textures(document, _wanted(to="image/jpeg"))
    assert "damage" in problem.reason
    assert document.to_bytes() == source


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_large_images_shrink_in_their_own_format(glb: type[Glb], media_type: str) -> None:
    built = _model(glb, _file(_noise(side=64), media_type), **_BASE)
    document, refused = _changed(built, _wanted(size=16))
    header = document.images[0].header
    assert (header.media_type, header.width, header.height) == (media_type, 16, 16)
    assert refused == []
    assert ("EXT_texture_webp" in document.json.get("extensionsRequired", [])) is (
        media_type == "image/webp"
    )


def test_every_kind_of_map_is_averaged_in_its_own_way(glb: type[Glb]) -> None:
    checker = np.zeros((32, 32, 3), dtype=np.uint8)
    checker[np.indices((32, 32)).sum(axis=0) % 2 == 0] = 255
    data = _file(checker, "image/png")
    rough = {"pbrMetallicRoughness": {"metallicRoughnessTexture": {"index": 0}}}
    for material, middle in ((_BASE, 188), ({"emissiveTexture": {"index": 0}}, 188), (rough, 128)):
        document, _ = _changed(_model(glb, data, **material), _wanted(size=16))
        inner = _pixels(document.images[0].data)[4:-4, 4:-4].astype(int)
        assert np.abs(inner - middle).max() <= 1
    blend = {**_BASE, "alphaMode": "BLEND"}
    covered = np.dstack([checker, checker[..., 0]])
    document, _ = _changed(_model(glb, _file(covered, "image/png"), **blend), _wanted(size=16))
    assert (_pixels(document.images[0].data)[4:-4, 4:-4, :3] == 255).all()
    clear_coat = {"clearcoatNormalTexture": {"index": 0}}
    for material in (_NORMAL, {"extensions": {"KHR_materials_clearcoat": clear_coat}}):
        document, _ = _changed(_model(glb, data, **material), _wanted(size=16))
        vectors = _pixels(document.images[0].data) / 127.5 - 1
        assert np.abs(np.linalg.norm(vectors, axis=2) - 1).max() < 0.02


@pytest.mark.parametrize("wanted", [_wanted(size=8), _wanted(to="image/png")])
def test_ktx2_and_broken_images_stay_and_say_so(glb: type[Glb], wanted: Wanted) -> None:
    for data in (_KTX2, glb.png(64, 64)[:-6] + b"\x10\2\0\0\0" + b"\0", b"no image"):
        built = _model(glb, data, **_BASE)
        document = GlbDocument.parse(built.to_bytes())
        refused = convert_textures(document, wanted)
        assert bytes(document.images[0].data) == data
        untouched = read_header(data).media_type == "image/png" and wanted.max_size_px is None
        assert [problem.image for problem in refused] == ([] if untouched else [0])


def test_an_image_that_two_textures_show_changes_once(glb: type[Glb]) -> None:
    built = _model(glb, _file(_noise(), "image/webp"), **_BASE)
    built.json["textures"] *= 2
    document, _ = _changed(built, _wanted(engine="unity"))
    assert len(document.images) == 1
    assert document.json["textures"] == [{"source": 0}] * 2


def test_every_sample_keeps_all_but_its_images(sample: Path) -> None:
    source = GlbDocument.parse(sample.read_bytes())
    document = GlbDocument.parse(sample.read_bytes())
    refused = {problem.image for problem in convert_textures(document, _wanted(size=64))}
    result = GlbDocument.parse(document.to_bytes())
    assert len(result.images) == len(source.images)
    for index, (image, old) in enumerate(zip(result.images, source.images, strict=True)):
        if index in refused or image.header.width is None:
            assert image.data == old.data
        else:
            assert max(image.header.width, image.header.height or 0) <= 64
            assert (image.data == old.data) is (max(old.header.width, old.header.height) <= 64)
    for name in ("materials", "meshes", "nodes", "animations", "skins", "textures", "samplers"):
        assert result.json.get(name) == source.json.get(name)
    for index, accessor in enumerate(source.accessors):
        if accessor.view is not None and not source.views[accessor.view].compressed:
            view = result.accessors[index].view
            assert view is not None
            assert result.view_bytes(view) == source.view_bytes(accessor.view)
