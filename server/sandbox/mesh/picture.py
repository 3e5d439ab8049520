"""Decode an untrusted picture to colours and, where it has one, its alpha."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from server.sandbox.errors import PictureError

if TYPE_CHECKING:
    from server.sandbox.mesh.arrays import Colours, Field

__all__ = ["Picture", "decode_picture"]

_FORMATS = ("PNG", "JPEG", "WEBP")

_LARGEST_SIDE = 1536
"""Finer detail than this is lost in a 2048 px atlas that holds front and back."""

_SMALLEST_SIDE = 512
"""Smaller pictures are enlarged smoothly, so that their outline has no visible pixels."""

_LOW_FREQUENCIES = 10  # The first entries of a quantisation table, in zigzag order.
_ECHO = 0.004  # Measured on discs: at quality 75, whose coarser table starts near 27, a ninth.
_MOST_ECHO = 0.12
_WEBP_ECHO = 0.05


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture at working size.

    Attributes:
        colours: (h, w, 3) sRGB in 0..1.
        alpha: (h, w) in 0..1, or `None` where the picture has no alpha channel.
        echo: What compression leaves around a contrast, as a part of it; 0 where nothing is lost.
    """

    colours: Colours
    alpha: Field | None
    echo: float = 0.0


def decode_picture(data: bytes, *, max_pixels: int) -> Picture:
    """Decode PNG, JPEG or WebP bytes, upright, at working size.

    Raises:
        PictureError: The bytes are no such picture, are damaged, or hold too many pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own bomb warning; the limit here is ours.
        image, echo = _open(data, max_pixels=max_pixels)
    has_alpha = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    image = image.convert("RGBA" if has_alpha else "RGB")
    pixels = np.asarray(_at_working_size(image), dtype=np.float64) / 255
    return Picture(
        colours=pixels[..., :3],
        alpha=pixels[..., 3] if has_alpha else None,
        echo=echo,
    )


def _open(data: bytes, *, max_pixels: int) -> tuple[Image.Image, float]:
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > max_pixels:
            raise PictureError(
                f"The image has {image.width} x {image.height} pixels; "
                f"at most {max_pixels} pixels are accepted."
            )
        image.load()
        return ImageOps.exif_transpose(image), _echo(image)
    # Pillow's decoders raise many kinds of error on damaged input.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError):
        raise PictureError("The image could not be read.") from None


def _echo(image: Image.Image) -> float:
    """Estimate from how coarsely a JPEG quantises its lowest frequencies."""
    if image.format == "WEBP":
        return _WEBP_ECHO  # It does not say how it was made.
    tables: dict[int, list[int]] = getattr(image, "quantization", {})
    if not tables:
        return 0.0
    coarseness = max(float(np.mean(table[:_LOW_FREQUENCIES])) for table in tables.values())
    return min(_MOST_ECHO, _ECHO * coarseness)


def _at_working_size(image: Image.Image) -> Image.Image:
    longest = max(image.size)
    wanted = min(max(longest, _SMALLEST_SIDE), _LARGEST_SIDE)
    if wanted == longest:
        return image
    size = (
        max(1, round(image.width * wanted / longest)),
        max(1, round(image.height * wanted / longest)),
    )
    return image.resize(size, Image.Resampling.BICUBIC)
