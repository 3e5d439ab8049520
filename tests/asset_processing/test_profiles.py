"""The profiles are complete data, and the page says what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asset_processing import (
    CollisionPlacement,
    Decode,
    EngineProfile,
    ProcessingOptions,
    TexturePacking,
    process,
)
from asset_processing.document import GlbDocument
from asset_processing.pixels import DECODABLE
from asset_processing.profiles import PROFILES

if TYPE_CHECKING:
    from asset_processing.profiles import Profile

_PAGE = (Path(__file__).parents[2] / "docs" / "engine-profiles.md").read_text(encoding="utf-8")
_TYPES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WebP", "image/ktx2": "KTX2"}
_CODECS = {
    "KHR_draco_mesh_compression": "Draco",
    "EXT_meshopt_compression": "meshopt",
    "KHR_mesh_quantization": "quantized vertices",
}
_MAPS = {
    TexturePacking.NONE: "none",
    TexturePacking.METALLIC_SMOOTHNESS: "metallic-smoothness",
    TexturePacking.ORM: "ORM",
}


def _row(engine: EngineProfile, profile: Profile) -> str:
    inside = profile.collision_placement is CollisionPlacement.NODES
    stay = [text for name, text in _TYPES.items() if name in profile.texture_media_types]
    decoded = [text for name, text in _CODECS.items() if name in profile.decodes]
    cells = [
        f"`{engine.name}`",
        ", ".join(stay),
        _TYPES[profile.texture_media_type],
        ", ".join(decoded) or "nothing",
        _MAPS[profile.packing],
        "nodes of the model" if inside else "`collision.glb`",
        f"`{profile.collision_name}`",
    ]
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("engine", list(EngineProfile))
def test_the_page_has_each_profile_as_it_is(engine: EngineProfile) -> None:
    assert _row(engine, PROFILES[engine]) in _PAGE


@pytest.mark.parametrize("profile", list(PROFILES.values()))
def test_every_profile_can_be_fulfilled(profile: Profile) -> None:
    assert profile.texture_media_type in profile.texture_media_types & DECODABLE
    assert profile.collision_name.format(name="a", part=3) != profile.collision_name


@pytest.mark.parametrize("engine", list(EngineProfile))
def test_what_an_engine_refuses_is_decoded_unless_forbidden(
    sample: Path, engine: EngineProfile
) -> None:
    source = sample.read_bytes()
    used = set(GlbDocument.parse(source).json.get("extensionsUsed", []))
    refused = used & PROFILES[engine].decodes
    options = ProcessingOptions(engine_profile=engine)
    after = set(GlbDocument.parse(process(source, options).glb).json.get("extensionsUsed", []))
    assert not after & PROFILES[engine].decodes
    options = ProcessingOptions(engine_profile=engine, decode=Decode.NEVER)
    kept = set(GlbDocument.parse(process(source, options).glb).json.get("extensionsUsed", []))
    assert refused <= kept
