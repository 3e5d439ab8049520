"""What is worth knowing about an asset, though nobody asked: one table of codes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ISSUES", "Issue", "IssueCode", "Severity"]


class Severity(Enum):
    """How much an issue matters."""

    ERROR = "error"  # Programs will refuse the asset or show it wrong.
    WARNING = "warning"  # Some engines will.
    INFO = "info"


class IssueCode(Enum):
    """What was found. The values are stable."""

    ALPHA_MODE_PROPOSED = "ALPHA_MODE_PROPOSED"
    ALPHA_MODE_SET = "ALPHA_MODE_SET"
    ALPHA_UNUSED = "ALPHA_UNUSED"
    DEGENERATE_FACES = "DEGENERATE_FACES"
    EXPORT_NOT_MADE = "EXPORT_NOT_MADE"
    GEOMETRY_COMPRESSED = "GEOMETRY_COMPRESSED"
    IMAGE_UNREADABLE = "IMAGE_UNREADABLE"
    IMAGE_UNUSED = "IMAGE_UNUSED"
    MIME_MISMATCH = "MIME_MISMATCH"
    MULTIPLE_SCENES = "MULTIPLE_SCENES"
    NON_MANIFOLD = "NON_MANIFOLD"
    NON_POWER_OF_TWO = "NON_POWER_OF_TWO"
    NOT_WATERTIGHT = "NOT_WATERTIGHT"
    NO_NORMALS = "NO_NORMALS"
    NO_SCENE = "NO_SCENE"
    NO_UVS = "NO_UVS"
    OPERATION_SKIPPED = "OPERATION_SKIPPED"
    OVERLAPPING_VIEWS = "OVERLAPPING_VIEWS"
    PROVENANCE_NOT_WRITTEN = "PROVENANCE_NOT_WRITTEN"
    QUANTIZED = "QUANTIZED"
    NOT_REBAKED = "NOT_REBAKED"
    SIMPLIFIED = "SIMPLIFIED"
    TEXTURE_KTX2 = "TEXTURE_KTX2"
    TEXTURE_NOT_CONVERTED = "TEXTURE_NOT_CONVERTED"
    TEXTURE_NOT_PACKED = "TEXTURE_NOT_PACKED"
    TEXTURE_WEBP = "TEXTURE_WEBP"
    THUMBNAIL_NOT_MADE = "THUMBNAIL_NOT_MADE"
    TOPOLOGY_SKIPPED = "TOPOLOGY_SKIPPED"
    TRANSFORM_IN_ROOT_NODE = "TRANSFORM_IN_ROOT_NODE"
    UNKNOWN_REQUIRED_EXTENSION = "UNKNOWN_REQUIRED_EXTENSION"


ISSUES: Mapping[IssueCode, tuple[Severity, str]] = MappingProxyType(
    {
        IssueCode.ALPHA_MODE_PROPOSED: (
            Severity.WARNING,
            "A base colour is transparent in places, but its material says opaque.",
        ),
        IssueCode.ALPHA_MODE_SET: (
            Severity.INFO,
            "A material got the alpha mode that its pixels call for.",
        ),
        IssueCode.ALPHA_UNUSED: (
            Severity.INFO,
            "The alpha channel of a base colour is solid wherever the model shows it.",
        ),
        IssueCode.DEGENERATE_FACES: (
            Severity.INFO,
            "Triangles without area are drawn for nothing.",
        ),
        IssueCode.EXPORT_NOT_MADE: (
            Severity.WARNING,
            "The model could not be written in a format that was asked for.",
        ),
        IssueCode.GEOMETRY_COMPRESSED: (
            Severity.WARNING,
            (
                "Vertices compressed with Draco or meshopt were not decoded: bounds come from "
                "their declared range, the topology was not measured. Godot refuses such files."
            ),
        ),
        IssueCode.IMAGE_UNREADABLE: (
            Severity.ERROR,
            "The image is no PNG, JPEG, WebP or KTX2, or its header is broken.",
        ),
        IssueCode.IMAGE_UNUSED: (Severity.INFO, "No material uses the image."),
        IssueCode.MIME_MISMATCH: (
            Severity.WARNING,
            "The declared media type is not what the image's bytes are.",
        ),
        IssueCode.MULTIPLE_SCENES: (
            Severity.INFO,
            "Only the default scene is measured; most engines import only that one.",
        ),
        IssueCode.NON_MANIFOLD: (Severity.INFO, "Edges are shared by more than two triangles."),
        IssueCode.NON_POWER_OF_TWO: (
            Severity.INFO,
            "The sides are no powers of two; some engines resize or do not compress such images.",
        ),
        IssueCode.NOT_WATERTIGHT: (
            Severity.INFO,
            "The surface is open, so that it has no volume; physics and printing may need one.",
        ),
        IssueCode.NO_NORMALS: (
            Severity.INFO,
            "Triangles without normals are shaded flat (glTF 2.0, 3.7.2.1).",
        ),
        IssueCode.NO_SCENE: (
            Severity.WARNING,
            "The file has no scene; some engines import nothing.",
        ),
        IssueCode.NO_UVS: (
            Severity.WARNING,
            "A textured material is on triangles without the texture coordinates it needs.",
        ),
        IssueCode.OPERATION_SKIPPED: (
            Severity.WARNING,
            "Something that was asked for was left out.",
        ),
        IssueCode.OVERLAPPING_VIEWS: (
            Severity.WARNING,
            "Accessors share bytes in part: whatever changes one of them changes the other.",
        ),
        IssueCode.PROVENANCE_NOT_WRITTEN: (
            Severity.WARNING,
            "The file's own extras leave no room for where the asset comes from.",
        ),
        IssueCode.QUANTIZED: (
            Severity.WARNING,
            "Positions are stored as integers (KHR_mesh_quantization). Godot refuses such files.",
        ),
        IssueCode.NOT_REBAKED: (
            Severity.WARNING,
            "The textures could not be baked again; the mesh was simplified with its atlas.",
        ),
        IssueCode.SIMPLIFIED: (
            Severity.INFO,
            "The meshes were simplified to meet their budget.",
        ),
        IssueCode.TEXTURE_KTX2: (
            Severity.WARNING,
            "KTX2 images need an engine with KHR_texture_basisu.",
        ),
        IssueCode.TEXTURE_NOT_CONVERTED: (
            Severity.WARNING,
            "An image is not of the size or type that was asked for.",
        ),
        IssueCode.TEXTURE_NOT_PACKED: (
            Severity.WARNING,
            "A packed map could not be made.",
        ),
        IssueCode.TEXTURE_WEBP: (Severity.WARNING, "WebP images are refused by some engines."),
        IssueCode.THUMBNAIL_NOT_MADE: (
            Severity.WARNING,
            "The model could not be drawn.",
        ),
        IssueCode.TOPOLOGY_SKIPPED: (
            Severity.INFO,
            "The scene is too large for the topology to be measured.",
        ),
        IssueCode.TRANSFORM_IN_ROOT_NODE: (
            Severity.INFO,
            "The scale or the shift is in a new node above the scene's roots, not in the vertices.",
        ),
        IssueCode.UNKNOWN_REQUIRED_EXTENSION: (
            Severity.WARNING,
            "The file requires an extension that Assetwright does not know; it was left as it is.",
        ),
    }
)
"""Severity of each code, and what it means for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing worth knowing. There is at most one for each code.

    Attributes:
        code: What it is.
        severity: How much it matters.
        message: What it means, and how often or why.
        pointer: JSON pointer to the first place in the delivered GLB; None where it is the whole.
    """

    code: IssueCode
    severity: Severity
    message: str
    pointer: str | None = None
