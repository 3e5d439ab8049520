"""Files that are delivered beside the GLB."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asset_processing.document import Bytes

__all__ = ["OutputFile", "OutputKind"]


class OutputKind(Enum):
    """What a file is for."""

    COLLISION = "collision"
    EXPORT = "export"
    LOD = "lod"
    PACKED_TEXTURE = "packed_texture"
    THUMBNAIL = "thumbnail"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """A file beside the GLB.

    Attributes:
        name: Relative path with ``/``, safe and unique in this asset, such as ``lod_1.glb``.
        kind: What it is for.
        media_type: Of its content, such as ``model/gltf-binary``.
        data: Its content.
        loses: What the model has and this file does not, for the report.
    """

    name: str
    kind: OutputKind
    media_type: str
    data: Bytes
    loses: tuple[str, ...] = ()
