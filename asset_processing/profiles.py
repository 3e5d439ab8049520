"""What each engine takes, as data. docs/engine-profiles.md says why for every choice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "PROFILES",
    "CollisionPlacement",
    "EngineProfile",
    "Profile",
    "TexturePacking",
]


class EngineProfile(Enum):
    """The program that the result is for."""

    GENERIC = "generic"  # Nothing changes for the sake of one program.
    BLENDER = "blender"  # 4.2 or newer.
    GODOT = "godot"  # 4.3 or newer.
    UNITY = "unity"  # With glTFast.
    UNREAL = "unreal"  # 5, with Interchange.


class TexturePacking(Enum):
    """Maps that are made from others, beside the GLB."""

    NONE = "none"
    METALLIC_SMOOTHNESS = "metallic_smoothness"  # Unity: metalness in red, 1 - roughness in alpha.
    ORM = "orm"  # Unreal: occlusion, roughness and metalness in red, green and blue.


class CollisionPlacement(Enum):
    """Where collision shapes go."""

    FILE = "file"  # A GLB of their own.
    NODES = "nodes"  # Nodes of the model's GLB, named so that the engine knows them.


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one engine takes.

    Attributes:
        texture_media_types: What its importer reads; other images are converted.
        texture_media_type: What other images are converted to.
        decodes: Extensions that its importer refuses, and that are therefore decoded.
        packing: Maps that it wants and glTF does not have.
        collision_placement: Where it finds collision shapes.
        collision_name: Name of a shape's node, with ``{name}`` of the model and ``{part}``
            counted from 0.
    """

    texture_media_types: frozenset[str]
    texture_media_type: str
    decodes: frozenset[str]
    packing: TexturePacking
    collision_placement: CollisionPlacement
    collision_name: str


_PNG, _JPEG, _WEBP, _KTX2 = "image/png", "image/jpeg", "image/webp", "image/ktx2"
_CODECS = frozenset(
    {
        "EXT_meshopt_compression",
        "KHR_draco_mesh_compression",
        "KHR_meshopt_compression",
    }
)
_QUANTIZATION = frozenset({"KHR_mesh_quantization"})

PROFILES: Mapping[EngineProfile, Profile] = MappingProxyType(
    {
        EngineProfile.GENERIC: Profile(
            texture_media_types=frozenset({_PNG, _JPEG, _WEBP, _KTX2}),
            texture_media_type=_PNG,
            decodes=frozenset(),
            packing=TexturePacking.NONE,
            collision_placement=CollisionPlacement.FILE,
            collision_name="{name}_collision_{part}",
        ),
        EngineProfile.BLENDER: Profile(
            texture_media_types=frozenset({_PNG, _JPEG, _WEBP}),
            texture_media_type=_PNG,
            decodes=_CODECS,
            packing=TexturePacking.NONE,
            collision_placement=CollisionPlacement.FILE,
            collision_name="{name}_collision_{part}",
        ),
        EngineProfile.GODOT: Profile(
            texture_media_types=frozenset({_PNG, _JPEG, _WEBP, _KTX2}),
            texture_media_type=_PNG,
            decodes=_CODECS | _QUANTIZATION,
            packing=TexturePacking.NONE,
            collision_placement=CollisionPlacement.NODES,
            collision_name="{name}_{part}-convcolonly",
        ),
        EngineProfile.UNITY: Profile(
            texture_media_types=frozenset({_PNG, _JPEG}),
            texture_media_type=_PNG,
            decodes=_CODECS,
            packing=TexturePacking.METALLIC_SMOOTHNESS,
            collision_placement=CollisionPlacement.FILE,
            collision_name="{name}_Collider_{part}",
        ),
        EngineProfile.UNREAL: Profile(
            texture_media_types=frozenset({_PNG, _JPEG}),
            texture_media_type=_PNG,
            decodes=_CODECS,
            packing=TexturePacking.ORM,
            collision_placement=CollisionPlacement.NODES,
            collision_name="UCX_{name}_{part:02d}",
        ),
    }
)
"""What each engine takes."""
