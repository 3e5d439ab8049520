"""Textures through the whole pipeline: what is asked, what comes out, what the report says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from asset_processing import (
    AlphaAction,
    AlphaUse,
    EngineProfile,
    InvalidOption,
    IssueCode,
    ProcessedAsset,
    ProcessingOptions,
    Severity,
    TextureOptions,
    TexturePacking,
    process,
)
from asset_processing.document import GlbDocument, Image
from asset_processing.images import read_header
from asset_processing.outputs import OutputKind
from asset_processing.pixels import decode, encode

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb, GlbBuilder


def _sheet(
    glb: type[Glb], pixels: np.ndarray, media_type: str = "image/png", **material: object
) -> GlbBuilder:
    """A square that shows one base colour."""
    built = glb.builder()
    data = encode(pixels, media_type=media_type, lossless=True)
    image = built.image(data, media_type)
    texture: dict[str, object] = {"source": image}
    if media_type == "image/webp":
        texture = {"extensions": {"EXT_texture_webp": texture}}
        built.json["extensionsUsed"] = built.json["extensionsRequired"] = ["EXT_texture_webp"]
    built.add("textures", **texture)
    surface = {"baseColorTexture": {"index": 0}}
    built.add("materials", name="Skin", pbrMetallicRoughness=surface, **material)
    uv = built.accessor([[0, 0], [1, 0], [1, 1], [0, 1]])
    square = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    mesh = built.mesh(square, [0, 1, 2, 0, 2, 3], attributes={"TEXCOORD_0": uv}, material=0)
    return built.scene(built.add("nodes", mesh=mesh))


def _colors(alpha: int | None = None, side: int = 64) -> np.ndarray:
    pixels = np.random.default_rng(5).integers(0, 256, (side, side, 3), dtype=np.uint8)
    if alpha is None:
        return pixels
    plane = np.full((side, side, 1), 255, dtype=np.uint8)
    plane[: side // 2] = alpha
    return np.concatenate([pixels, plane], axis=2)


def _codes(asset: ProcessedAsset) -> dict[IssueCode, str]:
    return {issue.code: issue.message for issue in asset.report.issues}


def _process(built: GlbBuilder, **textures: object) -> ProcessedAsset:
    options = TextureOptions(**textures)  # type: ignore[arg-type]
    return process(built.to_bytes(), ProcessingOptions(textures=options))


@pytest.mark.parametrize(("alpha", "mode"), [(0, "MASK"), (120, "BLEND")])
def test_a_mode_is_proposed_set_or_left_as_asked(glb: type[Glb], alpha: int, mode: str) -> None:
    built = _sheet(glb, _colors(alpha))
    asset = _process(built)
    assert asset.glb == built.to_bytes()  # A proposal changes nothing.
    assert f"It says OPAQUE; {mode} is proposed." in _codes(asset)[IssueCode.ALPHA_MODE_PROPOSED]
    assert asset.report.textures[0].alpha is AlphaUse[mode]

    asset = _process(built, alpha=AlphaAction.APPLY)
    assert f"Skin said OPAQUE and is {mode} now." in _codes(asset)[IssueCode.ALPHA_MODE_SET]
    assert IssueCode.ALPHA_MODE_PROPOSED not in _codes(asset)
    assert asset.report.materials[0].alpha_mode == mode

    asset = _process(built, alpha=AlphaAction.KEEP)
    assert asset.report.textures[0].alpha is None
    assert not {code for code in _codes(asset) if code.value.startswith("ALPHA")}


def test_a_mode_that_no_pixel_needs_is_said_and_can_go(glb: type[Glb]) -> None:
    built = _sheet(glb, _colors(255), alphaMode="MASK", alphaCutoff=0.3)
    asset = _process(built)
    assert IssueCode.ALPHA_UNUSED in _codes(asset)
    assert asset.report.textures[0].alpha is AlphaUse.OPAQUE
    asset = _process(built, alpha=AlphaAction.APPLY)
    (material,) = GlbDocument.parse(asset.glb).json["materials"]
    assert set(material) == {"name", "pbrMetallicRoughness"}


def test_what_the_author_chose_or_a_factor_needs_stays(glb: type[Glb]) -> None:
    built = _sheet(glb, _colors(120), alphaMode="MASK")
    assert _process(built, alpha=AlphaAction.APPLY).glb == built.to_bytes()
    built = _sheet(glb, _colors(255), alphaMode="BLEND")
    surface = built.json["materials"][0]["pbrMetallicRoughness"]
    surface["baseColorFactor"] = [1, 1, 1, 0.5]
    asset = _process(built, alpha=AlphaAction.APPLY)
    assert asset.glb == built.to_bytes()
    assert IssueCode.ALPHA_UNUSED not in _codes(asset)


def test_images_without_alpha_are_known_without_looking(glb: type[Glb]) -> None:
    for media_type in ("image/png", "image/jpeg", "image/webp"):
        asset = _process(_sheet(glb, _colors(), media_type))
        assert asset.report.textures[0].alpha is AlphaUse.NONE


def test_a_size_that_was_asked_is_measured_on_what_is_delivered(glb: type[Glb]) -> None:
    asset = _process(_sheet(glb, _colors()), max_size_px=16)
    (check,) = [c for c in asset.report.checks if c.name == "textures.max_size_px"]
    assert (check.asked, check.measured, check.unit, check.passed) == (16, 16, "px", True)
    assert (asset.report.textures[0].width, asset.report.textures[0].height) == (16, 16)
    assert bytes(asset.textures[0].data) in asset.glb


def test_a_type_that_could_not_be_had_fails_its_line_and_says_why(glb: type[Glb]) -> None:
    asset = _process(_sheet(glb, _colors(0)), media_type="image/jpeg")
    assert "JPEG has no alpha" in _codes(asset)[IssueCode.TEXTURE_NOT_CONVERTED]
    (check,) = [c for c in asset.report.checks if c.name == "textures.media_type"]
    assert (check.asked, check.measured, check.passed) == (1, 0, False)
    assert not asset.report.passed


@pytest.mark.parametrize("engine", list(EngineProfile))
def test_engines_get_only_types_they_read_and_others_keep_their_bytes(
    glb: type[Glb], engine: EngineProfile
) -> None:
    built = _sheet(glb, _colors(), "image/webp")
    source = built.to_bytes()
    asset = process(source, ProcessingOptions(engine_profile=engine))
    refuses = engine in (EngineProfile.UNITY, EngineProfile.UNREAL)
    assert asset.report.textures[0].media_type == ("image/png" if refuses else "image/webp")
    assert (asset.glb == source) is not refuses
    document = GlbDocument.parse(asset.glb)
    assert np.array_equal(decode(document.images[0]), _colors())


@pytest.mark.parametrize(
    ("engine", "asked", "name"),
    [
        (EngineProfile.UNITY, None, "metallic_smoothness"),
        (EngineProfile.UNREAL, None, "orm"),
        (EngineProfile.GODOT, TexturePacking.ORM, "orm"),
        (EngineProfile.UNREAL, TexturePacking.NONE, None),
        (EngineProfile.GENERIC, None, None),
    ],
)
def test_packed_maps_are_outputs_of_the_engines_that_want_them(
    glb: type[Glb], engine: EngineProfile, asked: TexturePacking | None, name: str | None
) -> None:
    built = _sheet(glb, _colors())
    surface = built.json["materials"][0]["pbrMetallicRoughness"]
    surface["metallicRoughnessTexture"] = {"index": 0}
    built.json["materials"] *= 2
    options = ProcessingOptions(engine_profile=engine, textures=TextureOptions(packing=asked))
    asset = process(built.to_bytes(), options)
    found = [output.name for output in asset.outputs]
    assert found == ([] if name is None else [f"packed/{name}.png", f"packed/{name}_2.png"])
    for output, facts in zip(asset.outputs, asset.report.outputs, strict=True):
        assert (output.kind, output.media_type) == (OutputKind.PACKED_TEXTURE, "image/png")
        assert (facts.name, facts.size_bytes) == (output.name, len(output.data))
        assert read_header(output.data).width == 64


def test_a_map_that_cannot_be_packed_is_an_issue(glb: type[Glb]) -> None:
    built = _sheet(glb, _colors(), occlusionTexture={"index": 1})
    built.add("textures", source=built.image(glb.png(8, 8)))
    asset = _process(built, packing=TexturePacking.ORM)
    assert asset.outputs == ()
    message = _codes(asset)[IssueCode.TEXTURE_NOT_PACKED]
    assert message.endswith("Of the first, its bytes are broken.")


@pytest.mark.parametrize(
    ("textures", "message"),
    [
        ({"max_size_px": 0}, "textures.max_size_px must be at least 1, not 0."),
        ({"media_type": "image/gif"}, "textures.media_type must be one of image/jpeg,"),
    ],
)
def test_wrong_options_name_their_field(
    glb: type[Glb], textures: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidOption, match=message) as raised:
        _process(glb.box(), **textures)
    assert raised.value.field == message.partition(" ")[0]


@pytest.mark.parametrize("engine", list(EngineProfile))
def test_every_sample_survives_every_profile(sample: Path, engine: EngineProfile) -> None:
    source = GlbDocument.parse(sample.read_bytes())
    asset = process(sample.read_bytes(), ProcessingOptions(engine_profile=engine))
    errors = {issue.code for issue in asset.report.issues if issue.severity is Severity.ERROR}
    assert not errors
    kept = {bytes(image.data) for image in GlbDocument.parse(asset.glb).images}
    if engine is EngineProfile.GENERIC:
        assert kept == {bytes(image.data) for image in source.images}
    for image in source.images:
        if image.header.media_type in ("image/png", "image/jpeg"):
            assert bytes(image.data) in kept
    for output in asset.outputs:
        decode(Image(read_header(output.data), memoryview(output.data), None))
