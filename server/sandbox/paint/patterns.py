"""What surfaces look like, computed from where on its solid a point lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from server.sandbox.paint.solids import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.sandbox.paint.solids import Pixels, Solid

__all__ = ["noise", "surface"]

_WAVES = 5
_PLANKS = 3.0  # Boards across a solid.
_COURSES = 4.0  # Rows of bricks over a solid's half height.


def noise(at: Pixels, random: np.random.Generator, *, scale: float) -> Pixels:
    """Make smooth noise in about -1..1 from a few waves that run in random directions.

    Args:
        at: (3, h, w) points.
        random: Draws the waves.
        scale: Waves for each unit of length.
    """
    total = np.zeros(at.shape[1:], dtype=np.float32)
    for octave in range(_WAVES):
        direction = random.normal(size=3) * scale * 1.7**octave
        wave = np.tensordot(direction.astype(np.float32), at, axes=1)
        total += np.sin(wave + np.float32(random.uniform(0, 6.28))) / np.float32(1.5**octave)
    found: Pixels = total / np.float32(_WAVES / 2)
    return found


def surface(solid: Solid, at: Pixels, random: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Compute a solid's colours and how much of its second colour they hold.

    Args:
        solid: The solid.
        at: (3, h, w) points in its own coordinates, stretched to its real proportions.
        random: Varies the pattern.

    Returns:
        (h, w) brightness factors, and (h, w) shares of the second colour in 0..1.
    """
    return _SURFACES[solid.pattern](at, random)


def _plain(at: Pixels, _: np.random.Generator) -> tuple[Pixels, Pixels]:
    return np.ones(at.shape[1:], np.float32), np.zeros(at.shape[1:], np.float32)


def _wood(at: Pixels, random: np.random.Generator) -> tuple[Pixels, Pixels]:
    across = at[0] + at[2]
    board = np.floor(across * _PLANKS)
    gap = np.abs(across * _PLANKS - board - 0.5) > 0.46  # noqa: PLR2004  # The last part of a board.
    shade = 0.92 + 0.08 * np.sin(board * 12.9 + random.uniform(0, 6))
    grain = 0.06 * np.sin(at[1] * 3 + 40 * across + 2 * noise(at, random, scale=2.0))
    return np.where(gap, 0.55, shade + grain).astype(np.float32), np.zeros_like(across)


def _stone(at: Pixels, random: np.random.Generator) -> tuple[Pixels, Pixels]:
    coarse = noise(at, random, scale=2.5)
    fine = noise(at, random, scale=9.0)
    moss = np.clip(2.5 * noise(at, random, scale=1.6) + 1.5 * at[1] - 1.2, 0, 0.5)
    return 1 + 0.14 * coarse + 0.08 * fine, moss.astype(np.float32)


def _spots(at: Pixels, random: np.random.Generator) -> tuple[Pixels, Pixels]:
    long = np.maximum(np.sqrt((at**2).sum(axis=0)), np.float32(1e-6))
    outward = at / long
    share = np.zeros(at.shape[1:], dtype=np.float32)
    golden = np.pi * (3 - np.sqrt(5))
    start = random.uniform(0, 6.28)
    for number in range(26):
        y = 1 - 2 * (number + 0.5) / 26
        ring, turn = np.sqrt(1 - y * y), start + number * golden
        centre = np.array([ring * np.cos(turn), y, ring * np.sin(turn)], dtype=np.float32)
        close = np.tensordot(centre, outward, axes=1)
        share = np.maximum(share, np.clip((close - random.uniform(0.955, 0.98)) * 120, 0, 1))
    return np.ones_like(share), share


def _bricks(at: Pixels, _: np.random.Generator) -> tuple[Pixels, Pixels]:
    row = at[1] * _COURSES
    course = np.floor(row)
    column = (at[0] + at[2]) * _COURSES / 2 + 0.5 * (course % 2)
    joint = (row - course < 0.12) | (column - np.floor(column) < 0.06)  # noqa: PLR2004  # Mortar.
    shade = 0.94 + 0.06 * np.sin(course * 7.1 + np.floor(column) * 12.3)
    return shade.astype(np.float32), 0.7 * joint.astype(np.float32)


def _leaves(at: Pixels, random: np.random.Generator) -> tuple[Pixels, Pixels]:
    clumps = noise(at, random, scale=7.0)
    return 1 + 0.16 * clumps + 0.1 * noise(at, random, scale=20.0), np.zeros_like(clumps)


_SURFACES: dict[Pattern, Callable[[Pixels, np.random.Generator], tuple[Pixels, Pixels]]] = {
    Pattern.PLAIN: _plain,
    Pattern.WOOD: _wood,
    Pattern.STONE: _stone,
    Pattern.SPOTS: _spots,
    Pattern.BRICKS: _bricks,
    Pattern.LEAVES: _leaves,
}
