"""What a caller may ask of textures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from asset_processing.profiles import PROFILES, EngineProfile, TexturePacking

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MEDIA_TYPES", "AlphaAction", "TextureOptions"]

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")
"""What textures can be converted to."""


class AlphaAction(Enum):
    """What becomes of a material's alpha mode, which generators leave at ``OPAQUE``."""

    KEEP = "keep"  # The pixels are not looked at.
    PROPOSE = "propose"  # An issue says which mode the pixels call for.
    APPLY = "apply"  # The material gets that mode.


@dataclass(frozen=True, slots=True, kw_only=True)
class TextureOptions:
    """Changes to textures. The defaults change nothing.

    Attributes:
        max_size_px: The longest side an image may have, in pixels; None for any.
        media_type: One of `MEDIA_TYPES` to convert every image to; None converts only what the
            engine profile cannot read.
        packing: Maps to make beside the GLB; None for those of the engine profile.
        alpha: What becomes of alpha modes.
    """

    max_size_px: int | None = None
    media_type: str | None = None
    packing: TexturePacking | None = None
    alpha: AlphaAction = AlphaAction.PROPOSE

    def complaints(self) -> Iterator[tuple[str, str]]:
        """Yield each member that is wrong and what is wrong with it."""
        if self.max_size_px is not None and self.max_size_px < 1:
            yield "max_size_px", f"must be at least 1, not {self.max_size_px}."
        if self.media_type is not None and self.media_type not in MEDIA_TYPES:
            yield "media_type", f"must be one of {', '.join(MEDIA_TYPES)}, not {self.media_type}."

    def packing_for(self, engine: EngineProfile) -> TexturePacking:
        """Return which maps to make for an engine."""
        return PROFILES[engine].packing if self.packing is None else self.packing
