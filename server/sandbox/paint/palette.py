"""The colours and the parts that objects are built from."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING, cast

import numpy as np

from server.sandbox.paint.solids import Pattern, Shape, Solid

if TYPE_CHECKING:
    from server.sandbox.paint.look import Look
    from server.sandbox.paint.solids import Colour

__all__ = ["Palette", "ball", "box", "darker", "tube"]

_Point = tuple[float, float, float]


class Palette:
    """Colours for one object: the prompt's where it names some, else the object's own, varied."""

    def __init__(self, look: Look, random: np.random.Generator) -> None:
        self.random = random
        self._colours = look.colours

    def main(self, usual: Colour) -> Colour:
        """The first colour named, else about the usual one."""
        return self._colours[0] if self._colours else self._varied(usual)

    def second(self, usual: Colour) -> Colour:
        """The second colour named, else about the usual one."""
        return self._colours[1] if len(self._colours) > 1 else self._varied(usual)

    def any_colour(self) -> Colour:
        """The first colour named, else a lively one."""
        lively = colorsys.hsv_to_rgb(self.random.uniform(), 0.62, 0.8)
        return self._colours[0] if self._colours else lively

    def between(self, low: float, high: float) -> float:
        """Draw a measure."""
        return float(self.random.uniform(low, high))

    def _varied(self, colour: Colour) -> Colour:
        change = self.random.uniform(0.92, 1.08) + self.random.uniform(-0.03, 0.03, 3)
        return cast("Colour", tuple(map(float, np.clip(np.array(colour) * change, 0, 1))))


def darker(colour: Colour, by: float = 0.6) -> Colour:
    """Scale a colour's brightness."""
    red, green, blue = colour
    return (red * by, green * by, blue * by)


def ball(
    centre: _Point, size: _Point, colour: Colour, *,
    gloss: float = 0.2, pattern: Pattern = Pattern.PLAIN, second: Colour = (1, 1, 1),
    turn: _Point = (0, 0, 0),
) -> Solid:  # fmt: skip
    """Make an ellipsoid."""
    return Solid(
        shape=Shape.BALL, centre=centre, size=size, colour=colour,
        gloss=gloss, pattern=pattern, second=second, turn=turn,
    )  # fmt: skip


def box(
    centre: _Point, size: _Point, colour: Colour, *,
    gloss: float = 0.15, pattern: Pattern = Pattern.PLAIN, second: Colour = (1, 1, 1),
    turn: _Point = (0, 0, 0),
) -> Solid:  # fmt: skip
    """Make a box."""
    return Solid(
        shape=Shape.BOX, centre=centre, size=size, colour=colour,
        gloss=gloss, pattern=pattern, second=second, turn=turn,
    )  # fmt: skip


def tube(
    low: float, high: float, radii: tuple[float, float], colour: Colour, *,
    at: tuple[float, float] = (0, 0),
    gloss: float = 0.2, pattern: Pattern = Pattern.PLAIN, second: Colour = (1, 1, 1),
) -> Solid:  # fmt: skip
    """Make an upright tube from one height to another, with a radius at each end."""
    first, last = radii
    centre = (at[0], (low + high) / 2, at[1])
    return Solid(
        shape=Shape.TUBE, centre=centre, size=(first, (high - low) / 2, first), colour=colour,
        gloss=gloss, pattern=pattern, second=second, top=last / first,
    )  # fmt: skip
