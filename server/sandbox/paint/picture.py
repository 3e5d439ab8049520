"""Open an untrusted picture for painting on."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

from server.sandbox.errors import PictureError

__all__ = ["open_picture"]

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


def open_picture(data: bytes, *, max_pixels: int) -> Image.Image:
    """Decode PNG, JPEG, WebP or the first frame of a GIF, upright, as RGB or RGBA.

    Raises:
        PictureError: The bytes are no such picture, are damaged, or hold too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bomb warning; the limit here is ours.
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
            if image.width * image.height > max_pixels:
                raise PictureError(
                    f"The image has {image.width} x {image.height} pixels; "
                    f"at most {max_pixels} pixels are accepted."
                )
            image.load()
            upright = ImageOps.exif_transpose(image)
    # Pillow's decoders raise many kinds of error on damaged input.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError):
        raise PictureError("The image could not be read.") from None
    return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
