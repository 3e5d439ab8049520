"""Every image comes out once, as it is, with what materials use it for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from asset_processing import (
    ColorSpace,
    GlbTooLarge,
    Limits,
    ProcessingOptions,
    Texture,
    TextureRole,
    process,
)

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb, GlbBuilder

WEBP = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x07\xc0\x01\0" + bytes(8)  # 8 x 8, lossless.


def _with_images(glb: type[Glb], *images: bytes) -> GlbBuilder:
    built = glb.box()
    for data in images:
        built.add("textures", source=built.image(data))
    return built


def _extracted(built: GlbBuilder) -> tuple[Texture, ...]:
    return process(built.to_bytes()).textures


def test_every_role_gives_name_color_space_and_the_untouched_bytes(glb: type[Glb]) -> None:
    pictures = [glb.png(2**power, 4) for power in range(6)]
    built = _with_images(glb, *pictures)
    built.add(
        "materials",
        pbrMetallicRoughness={
            "baseColorTexture": {"index": 0},
            "metallicRoughnessTexture": {"index": 1},
        },
        normalTexture={"index": 2},
        occlusionTexture={"index": 3},
        emissiveTexture={"index": 4},
        extensions={"KHR_materials_sheen": {"sheenColorTexture": {"index": 5}}},
    )
    found = _extracted(built)
    assert [bytes(texture.data) for texture in found] == pictures
    assert [texture.facts.file_name for texture in found] == [
        "base_color.png",
        "metallic_roughness.png",
        "normal.png",
        "occlusion.png",
        "emissive.png",
        "sheen_color.png",
    ]
    assert [texture.facts.roles for texture in found] == [(role,) for role in TextureRole]
    assert found[5].facts.usages[0].slot == "KHR_materials_sheen.sheenColorTexture"
    srgb = [texture.facts.color_space is ColorSpace.SRGB for texture in found]
    assert srgb == [True, False, False, False, True, True]
    for power, (texture, picture) in enumerate(zip(found, pictures, strict=True)):
        assert (texture.facts.width, texture.facts.height) == (2**power, 4)
        assert texture.facts.sha256 == hashlib.sha256(picture).hexdigest()
        assert texture.facts.size_bytes == len(picture)


def test_a_packed_map_comes_out_once_with_both_roles(glb: type[Glb]) -> None:
    built = _with_images(glb, glb.png(4, 4))
    built.add(
        "materials",
        occlusionTexture={"index": 0},
        pbrMetallicRoughness={"metallicRoughnessTexture": {"index": 0}},
    )
    (texture,) = _extracted(built)
    assert texture.facts.roles == (TextureRole.METALLIC_ROUGHNESS, TextureRole.OCCLUSION)
    assert texture.facts.file_name == "metallic_roughness_occlusion.png"


def test_webp_behind_its_extension_is_followed_and_so_is_the_fallback(glb: type[Glb]) -> None:
    built = _with_images(glb, glb.png(8, 8))
    webp = built.image(WEBP, "image/webp")
    built.json["textures"][0]["extensions"] = {"EXT_texture_webp": {"source": webp}}
    built.add("materials", emissiveTexture={"index": 0})
    names = [texture.facts.file_name for texture in _extracted(built)]
    assert names == ["emissive.png", "emissive.webp"]


def test_names_are_unique_and_never_taken_from_the_file(glb: type[Glb]) -> None:
    """A name in the file could be a path."""
    built = _with_images(glb, *[glb.png(1, side) for side in (1, 2, 3, 4)])
    for image in built.json["images"]:
        image["name"] = "../../etc/passwd"
    for index in range(3):
        built.add("materials", normalTexture={"index": index})
    odd = {"VENDOR_x": {"../..\\evil/Texture": {"index": 3}}}
    built.add("materials", extensions=odd)
    found = _extracted(built)
    assert [texture.facts.file_name for texture in found] == [
        "normal.png",
        "normal_2.png",
        "normal_3.png",
        "evil.png",
    ]
    assert {texture.facts.name for texture in found} == {"../../etc/passwd"}


def test_the_format_is_that_of_the_bytes_and_unused_images_come_out_too(glb: type[Glb]) -> None:
    built = _with_images(glb, WEBP, b"GIF89a....")
    first, second = _extracted(built)
    assert (first.facts.media_type, first.facts.file_name) == ("image/webp", "unused.webp")
    assert (second.facts.media_type, second.facts.file_name) == (
        "application/octet-stream",
        "unused.bin",
    )
    assert (second.facts.width, second.facts.roles, second.facts.color_space) == (None, (), None)


def test_images_are_limited_alone_and_together(glb: type[Glb]) -> None:
    one = _with_images(glb, glb.png(8193, 8192)).to_bytes()
    with pytest.raises(GlbTooLarge, match="8193 x 8192"):
        process(one)
    many = _with_images(glb, *[glb.png(10, 10)] * 3).to_bytes()
    with pytest.raises(GlbTooLarge, match="/images/2"):
        process(many, limits=Limits(max_total_pixels=299))
    with pytest.raises(GlbTooLarge, match="/images/1"):
        process(many, limits=Limits(max_total_image_bytes=len(glb.png(1, 1)) * 2 - 1))


def test_textures_that_were_not_asked_for_are_reported_but_not_returned(glb: type[Glb]) -> None:
    source = _with_images(glb, glb.png(4, 4)).to_bytes()
    asset = process(source, ProcessingOptions(extract_textures=False))
    assert asset.textures == ()
    assert len(asset.report.textures) == 1
    assert not asset.report.checks
