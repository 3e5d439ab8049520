"""Draw what a prompt names."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from server.sandbox.paint.look import read_prompt, seeded
from server.sandbox.paint.makes import RECIPES, VIEWS
from server.sandbox.paint.palette import Palette
from server.sandbox.paint.render import View, render

if TYPE_CHECKING:
    from server.sandbox.paint.look import Look
    from server.sandbox.paint.solids import Colour

__all__ = ["draw", "draw_object"]

_USUAL = View(yaw=-32, pitch=18)
_TURN = 9.0  # Degrees by which a seed turns the object, at most.
_VIGNETTE = 0.06  # How much darker the corners of the background are.


def draw(prompt: str, *, seed: int, size: tuple[int, int]) -> Image.Image:
    """Draw one object on a plain background.

    The same prompt, seed and size give the same pixels on one machine.
    """
    cut_out = draw_object(prompt, seed=seed, size=size)
    picture = _background(read_prompt(prompt), prompt, cut_out)
    picture.paste(cut_out, mask=cut_out)
    return picture


def draw_object(prompt: str, *, seed: int, size: tuple[int, int]) -> Image.Image:
    """Draw the object alone, on nothing."""
    look = read_prompt(prompt)
    usual = VIEWS.get(look.name, _USUAL)
    random = seeded(" ".join(prompt.split()), seed)
    turn = random.uniform(-_TURN, _TURN) if usual.yaw else 0.0
    solids = RECIPES[look.name](Palette(look, random))
    view = View(yaw=usual.yaw + turn, pitch=usual.pitch)
    return render(solids, view, size=size, random=random)


def _background(look: Look, prompt: str, cut_out: Image.Image) -> Image.Image:
    """A colour that the object stands out from, a little darker towards the corners."""
    colour = np.array(look.background or _contrasting(prompt, cut_out))
    width, height = cut_out.size
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    shade = 1 - _VIGNETTE * np.clip((x * x + y * y) / 2, 0, 1)
    return Image.fromarray(np.round(255 * shade * colour.astype(np.float32)).astype(np.uint8))


def _contrasting(prompt: str, cut_out: Image.Image) -> Colour:
    """Of a few quiet tints, the one farthest from any of the object's colours."""
    small = np.asarray(cut_out.resize((48, 48)), dtype=np.float64) / 255
    shown = small[small[..., 3] > 0.5, :3]  # noqa: PLR2004  # Half covered.
    hue = float(seeded("background", prompt).uniform())
    tints = [colorsys.hsv_to_rgb(hue + k / 3, 0.07, 0.93) for k in range(3)]
    tints += [colorsys.hsv_to_rgb(hue, 0.25, 0.42), colorsys.hsv_to_rgb(hue, 0.1, 0.20)]
    if not len(shown):
        return tints[0]

    def gap(tint: Colour) -> float:
        away = np.linalg.norm(shown - np.array(tint), axis=1)
        return float(np.quantile(away, 0.04))

    # A light one is pleasant; another must be clearly better.
    return max(tints, key=lambda tint: gap(tint) * (1.6 if max(tint) > 0.8 else 1.0))  # noqa: PLR2004
