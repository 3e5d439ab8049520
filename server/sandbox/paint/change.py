"""Change pictures that exist: in the words of a prompt, inside a mask, or for the better."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps
from scipy import ndimage

from server.sandbox.errors import PictureError
from server.sandbox.mesh.picture import Picture
from server.sandbox.mesh.subject import find_subject
from server.sandbox.paint.draw import draw_object
from server.sandbox.paint.look import read_prompt, seeded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from server.sandbox.mesh.arrays import Field
    from server.sandbox.paint.solids import Colour

__all__ = ["edit", "fill", "restore"]

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_FOUND_AT = 512  # The subject is looked for at this size at most.
_WHITE = 128  # A mask's pixel counts as white from here on.
_SOFTENED = 24  # Blur of what surrounds a mask, in parts of its size.


def edit(
    image: Image.Image, prompt: str, *, strength: float, seed: int, size: tuple[int, int]
) -> Image.Image:
    """Recolour the subject of a picture as a prompt says; shapes and shading stay.

    Args:
        image: RGB or RGBA.
        prompt: Its first colour goes to the subject; one before "background" behind it. Without
            a colour word the prompt and the seed choose one.
        strength: From 0, nothing changes, to 1.
        seed: Varies the colour and the grain.
        size: Width and height of the result.
    """
    scaled = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
    rgb = _floats(scaled.convert("RGB"))
    look, random = read_prompt(prompt), seeded("edit", prompt, seed)
    hue = colorsys.hsv_to_rgb(random.uniform(), 0.6, 0.75)
    subject = _subject(scaled)[..., None] * np.float32(strength)
    painted = _tinted(rgb, look.colours[0] if look.colours else hue)
    painted += 0.02 * random.standard_normal(rgb.shape[:2], dtype=np.float32)[..., None]
    out = rgb * (1 - subject) + painted * subject
    if look.background is not None:
        behind = (1 - _subject(scaled))[..., None] * np.float32(strength)
        out = out * (1 - behind) + _tinted(rgb, look.background) * behind
    changed = Image.fromarray(np.round(255 * np.clip(out, 0, 1)).astype(np.uint8))
    if scaled.mode == "RGBA":
        changed.putalpha(scaled.getchannel("A"))
    return changed


def fill(
    image: Image.Image, mask: Image.Image, prompt: str, *, seed: int, size: tuple[int, int]
) -> Image.Image:
    """Draw what a prompt names inside a mask's white area; no other pixel changes.

    The mask is stretched to the picture. A mask without white changes nothing.
    """
    scaled = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
    white = mask.convert("L").resize(size, Image.Resampling.NEAREST).point(_white)
    box = white.getbbox()
    if box is None:
        return scaled
    inside = (box[2] - box[0], box[3] - box[1])
    painted = Image.fromarray(_surroundings(scaled.convert("RGB"), white)).convert(scaled.mode)
    thing = draw_object(prompt, seed=seed, size=inside)
    painted.paste(thing.convert(scaled.mode), box[:2], mask=thing)
    result = scaled.copy()
    result.paste(painted, mask=white)
    return result


def restore(image: Image.Image) -> Image.Image:
    """Take out specks and noise, stretch faded tones, sharpen a little."""
    rgb = image.convert("RGB").filter(ImageFilter.MedianFilter(3))
    rgb = ImageOps.autocontrast(rgb, cutoff=0.5, preserve_tone=True)
    rgb = rgb.filter(ImageFilter.UnsharpMask(radius=2, percent=60, threshold=3))
    if image.mode == "RGBA":
        rgb.putalpha(image.getchannel("A"))
    return rgb


def _white(value: int) -> int:
    return 255 if value >= _WHITE else 0


def _subject(image: Image.Image) -> NDArray[np.float32]:
    """How far each pixel belongs to the subject; all of them where none stands out."""
    small = image.copy()
    small.thumbnail((_FOUND_AT, _FOUND_AT))
    pixels = np.asarray(small.convert("RGBA"), dtype=np.float64) / 255
    alpha: Field | None = pixels[..., 3] if image.mode == "RGBA" else None
    try:
        found = find_subject(Picture(colours=pixels[..., :3], alpha=alpha))
    except PictureError:
        found = np.ones(pixels.shape[:2])
    soft = Image.fromarray(np.round(255 * np.clip(found, 0, 1)).astype(np.uint8))
    full = soft.resize(image.size, Image.Resampling.BILINEAR)
    return _floats(full)


def _floats(image: Image.Image) -> NDArray[np.float32]:
    return (np.asarray(image, dtype=np.float32) / 255).astype(np.float32)


def _tinted(rgb: NDArray[np.float32], colour: Colour) -> NDArray[np.float32]:
    """Keep each pixel's brightness and give it a colour."""
    bright = (rgb @ _LUMA)[..., None]
    tint = np.array(colour, dtype=np.float32)
    level = max(float(tint @ _LUMA), 0.05)
    dim, light = tint * (bright / level), 1 - (1 - tint) * ((1 - bright) / (1 - level))
    full = np.where(bright < level, dim, light)
    found: NDArray[np.float32] = np.clip(0.85 * full + 0.15 * rgb, 0, 1)
    return found


def _surroundings(image: Image.Image, white: Image.Image) -> NDArray[np.uint8]:
    """Continue what lies around a mask into it, softly."""
    rgb = np.asarray(image, dtype=np.float32)
    outside = np.asarray(ImageChops.invert(white)) > 0
    if not outside.any():
        return np.full(rgb.shape, 200, dtype=np.uint8)
    rows, columns = ndimage.distance_transform_edt(
        ~outside, return_distances=False, return_indices=True
    )
    spread = rgb[rows, columns]
    blur = max(image.size) / _SOFTENED
    soft = Image.fromarray(np.round(spread).astype(np.uint8))
    return np.asarray(soft.filter(ImageFilter.GaussianBlur(blur)))
