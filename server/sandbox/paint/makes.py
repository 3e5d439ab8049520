"""Made things: buildings, machines, furniture, arms; and the table of all recipes."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from server.sandbox.paint import things
from server.sandbox.paint.palette import Palette, ball, box, darker, tube
from server.sandbox.paint.render import View
from server.sandbox.paint.solids import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from server.sandbox.paint.solids import Solid

__all__ = ["RECIPES", "VIEWS"]

_WOOD = (0.52, 0.34, 0.20)
_STEEL = (0.72, 0.75, 0.79)
_BRASS = (0.83, 0.65, 0.25)
_DARK = (0.14, 0.15, 0.17)
_SKIN = (0.90, 0.72, 0.58)


def sword(p: Palette) -> list[Solid]:
    """A blade with a ridge, a guard, a grip and a pommel."""
    steel, hilt, wide = p.main(_STEEL), p.second(_BRASS), p.between(0.13, 0.18)
    return [
        box((0, 0.35, 0), (wide, 0.95, 0.035), steel, gloss=0.9),
        box((0, 0.35, 0), (wide * 0.3, 0.93, 0.055), darker(steel, 0.86), gloss=0.9),
        box((0, 1.3, 0), (wide * 0.71, wide * 0.71, 0.03), steel, gloss=0.9, turn=(0, 0, 45)),
        box((0, -0.62, 0), (0.46, 0.07, 0.09), hilt, gloss=0.7),
        ball((-0.47, -0.62, 0), (0.1, 0.1, 0.1), hilt, gloss=0.8),
        ball((0.47, -0.62, 0), (0.1, 0.1, 0.1), hilt, gloss=0.8),
        tube(-1.12, -0.66, (0.08, 0.085), (0.35, 0.20, 0.12), pattern=Pattern.WOOD),
        ball((0, -1.2, 0), (0.13, 0.13, 0.13), hilt, gloss=0.8),
    ]


def hammer(p: Palette) -> list[Solid]:
    """A heavy head on a handle."""
    head, grip = p.main(_STEEL), p.second(_WOOD)
    return [
        tube(-1.3, 0.75, (0.10, 0.10), grip, pattern=Pattern.WOOD),
        box((0, 0.62, 0), (0.55, 0.30, 0.30), head, gloss=0.6),
        box((-0.58, 0.62, 0), (0.10, 0.35, 0.35), darker(head, 0.85), gloss=0.6),
        box((0.58, 0.62, 0), (0.10, 0.35, 0.35), darker(head, 0.85), gloss=0.6),
        tube(-1.4, -1.22, (0.14, 0.12), _BRASS, gloss=0.7),
    ]


def shield(p: Palette) -> list[Solid]:
    """Round, rimmed, with a boss and rivets."""
    face, rim = p.main((0.65, 0.13, 0.13)), p.second(_STEEL)
    rivets = [
        ball((x, y, 0.12), (0.07, 0.07, 0.06), rim, gloss=0.8)
        for x, y in ((0.66, 0), (-0.66, 0), (0, 0.66), (0, -0.66))
    ]
    return [
        ball((0, 0, -0.02), (1.0, 1.0, 0.12), rim, gloss=0.8),
        ball((0, 0, 0.02), (0.86, 0.86, 0.17), face, pattern=Pattern.WOOD),
        ball((0, 0, 0.12), (0.30, 0.30, 0.22), rim, gloss=0.9),
        *rivets,
    ]


def house(p: Palette) -> list[Solid]:
    """Walls, a steep roof, a door, windows and a chimney."""
    roof, wall = p.main((0.64, 0.25, 0.17)), p.second((0.90, 0.85, 0.74))
    panes = [
        box((x, -0.25, 0.72), (0.17, 0.19, 0.03), (0.55, 0.75, 0.88), gloss=0.9)
        for x in (-0.52, 0.52)
    ]
    frames = [box((x, -0.25, 0.71), (0.21, 0.23, 0.03), _WOOD) for x in (-0.52, 0.52)]
    return [
        box((0, -0.4, 0), (0.9, 0.55, 0.7), wall),
        box((0, -0.9, 0), (0.94, 0.08, 0.74), (0.5, 0.5, 0.5), pattern=Pattern.BRICKS),
        box((0, 0.15, 0), (0.575, 0.575, 0.68), wall, turn=(0, 0, 45)),
        box((-0.48, 0.46, 0), (0.72, 0.07, 0.86), roof, pattern=Pattern.BRICKS,
            second=darker(roof), turn=(0, 0, 45)),
        box((0.48, 0.46, 0), (0.72, 0.07, 0.86), roof, pattern=Pattern.BRICKS,
            second=darker(roof), turn=(0, 0, -45)),
        box((0.5, 0.72, -0.2), (0.13, 0.38, 0.13), (0.55, 0.30, 0.24), pattern=Pattern.BRICKS),
        box((0, -0.52, 0.71), (0.19, 0.33, 0.04), _WOOD, pattern=Pattern.WOOD),
        ball((0.11, -0.54, 0.77), (0.03, 0.03, 0.03), _BRASS, gloss=0.9),
        *frames, *panes,
    ]  # fmt: skip


def tower(p: Palette) -> list[Solid]:
    """A round keep with battlements and a pointed roof."""
    stone, roof = p.second((0.66, 0.64, 0.60)), p.main((0.24, 0.36, 0.62))
    windows = [box((0, y, 0.55), (0.09, 0.17, 0.08), _DARK) for y in (-0.15, 0.4)]
    return [
        tube(-1.2, -0.95, (0.72, 0.64), stone, pattern=Pattern.BRICKS, second=darker(stone)),
        tube(-0.95, 0.8, (0.60, 0.52), stone, pattern=Pattern.BRICKS, second=darker(stone)),
        tube(0.8, 1.0, (0.54, 0.68), stone, pattern=Pattern.BRICKS, second=darker(stone)),
        tube(1.0, 1.12, (0.70, 0.70), darker(stone, 0.85)),
        tube(1.12, 1.95, (0.72, 0.02), roof, pattern=Pattern.BRICKS, second=darker(roof)),
        ball((0, 1.97, 0), (0.07, 0.07, 0.07), _BRASS, gloss=0.8),
        box((0, -0.82, 0.58), (0.19, 0.30, 0.10), _WOOD, pattern=Pattern.WOOD),
        *windows,
    ]


def robot(p: Palette) -> list[Solid]:
    """A head with eyes and antenna, a body with a dial, arms and legs."""
    metal, glow = p.main((0.62, 0.68, 0.74)), p.second((0.30, 0.85, 0.95))
    joint = darker(metal, 0.55)
    parts = [
        box((0, -0.05, 0), (0.52, 0.50, 0.36), metal, gloss=0.6),
        box((0, 0.82, 0), (0.42, 0.32, 0.34), metal, gloss=0.6),
        tube(0.42, 0.55, (0.16, 0.16), joint),
        tube(1.12, 1.4, (0.03, 0.03), joint),
        ball((0, 1.44, 0), (0.09, 0.09, 0.09), glow, gloss=0.9),
        box((0, 0.64, 0.35), (0.22, 0.04, 0.02), _DARK),
        ball((0, 0.05, 0.36), (0.20, 0.20, 0.06), glow, gloss=0.8),
        box((0, -0.36, 0.36), (0.32, 0.06, 0.03), joint),
    ]
    for side in (-1, 1):
        parts += [
            ball((side * 0.18, 0.88, 0.34), (0.11, 0.11, 0.06), glow, gloss=0.9),
            ball((side * 0.62, 0.28, 0), (0.17, 0.17, 0.17), joint, gloss=0.6),
            tube(-0.42, 0.24, (0.11, 0.12), metal, at=(side * 0.70, 0), gloss=0.6),
            ball((side * 0.70, -0.52, 0), (0.16, 0.17, 0.16), joint, gloss=0.6),
            tube(-1.1, -0.5, (0.15, 0.14), metal, at=(side * 0.26, 0), gloss=0.6),
            box((side * 0.26, -1.16, 0.09), (0.20, 0.11, 0.30), joint, gloss=0.5),
        ]
    return parts


def figure(p: Palette) -> list[Solid]:
    """Someone in a tunic, with a helmet."""
    cloth, metal = p.main((0.25, 0.35, 0.62)), p.second(_STEEL)
    parts = [
        tube(-0.75, 0.3, (0.46, 0.30), cloth),
        ball((0, 0.30, 0), (0.42, 0.22, 0.26), metal, gloss=0.7),
        tube(-0.32, -0.22, (0.41, 0.40), (0.35, 0.22, 0.13)),
        ball((0, 0.72, 0), (0.25, 0.28, 0.25), _SKIN),
        ball((0, 0.82, -0.03), (0.29, 0.27, 0.29), metal, gloss=0.8),
        box((0, 0.76, 0.25), (0.035, 0.14, 0.04), metal, gloss=0.8),
        tube(1.05, 1.3, (0.05, 0.12), cloth),
    ]
    for side in (-1, 1):
        parts += [
            ball((side * 0.09, 0.70, 0.22), (0.035, 0.04, 0.03), _DARK, gloss=0.9),
            ball((side * 0.44, 0.32, 0), (0.18, 0.16, 0.18), metal, gloss=0.8),
            tube(-0.35, 0.28, (0.10, 0.13), cloth, at=(side * 0.50, 0)),
            ball((side * 0.50, -0.42, 0), (0.11, 0.12, 0.11), _SKIN),
            tube(-1.15, -0.7, (0.14, 0.16), (0.30, 0.24, 0.20), at=(side * 0.2, 0)),
            ball((side * 0.2, -1.16, 0.08), (0.16, 0.11, 0.25), (0.25, 0.16, 0.10)),
        ]
    return parts


def car(p: Palette) -> list[Solid]:
    """A small car with round wheels and lamps."""
    paint = p.any_colour()
    parts = [
        box((0, -0.12, 0), (1.2, 0.26, 0.5), paint, gloss=0.8),
        ball((0, 0.02, 0), (1.15, 0.30, 0.5), paint, gloss=0.8),
        ball((-0.1, 0.28, 0), (0.66, 0.42, 0.44), (0.35, 0.50, 0.60), gloss=1.0),
        ball((-0.1, 0.42, 0), (0.52, 0.31, 0.42), paint, gloss=0.8),
        box((0, -0.32, 0), (1.24, 0.06, 0.52), _STEEL, gloss=0.8),
    ]
    for x in (-0.72, 0.72):
        for z in (-0.48, 0.48):
            parts.append(ball((x, -0.38, z), (0.29, 0.29, 0.12), _DARK, gloss=0.3))
            parts.append(ball((x, -0.38, z * 1.14), (0.15, 0.15, 0.09), _STEEL, gloss=0.8))
    lamps = [ball((1.16, -0.05, z), (0.08, 0.10, 0.10), (1, 0.95, 0.7)) for z in (-0.32, 0.32)]
    return [*parts, *lamps]


def chair(p: Palette) -> list[Solid]:
    """Four legs, a cushion and a slatted back."""
    wood, cushion = p.main(_WOOD), p.second((0.66, 0.20, 0.20))
    legs = [
        tube(-1.1, -0.1, (0.07, 0.09), wood, at=(x, z)) for x in (-0.5, 0.5) for z in (-0.5, 0.5)
    ]
    slats = [box((x, 0.55, -0.52), (0.07, 0.55, 0.05), wood) for x in (-0.5, -0.17, 0.17, 0.5)]
    return [
        *legs, *slats,
        box((0, -0.06, 0), (0.62, 0.08, 0.62), wood, pattern=Pattern.WOOD),
        box((0, 0.08, 0.02), (0.54, 0.09, 0.54), cushion, gloss=0.05),
        box((0, 1.1, -0.52), (0.62, 0.13, 0.08), wood, pattern=Pattern.WOOD),
    ]  # fmt: skip


def table(p: Palette) -> list[Solid]:
    """A thick top on four legs."""
    wood = p.main(_WOOD)
    legs = [
        box((x, -0.35, z), (0.10, 0.55, 0.10), darker(wood, 0.85))
        for x in (-0.85, 0.85) for z in (-0.45, 0.45)
    ]  # fmt: skip
    rails = [box((0, 0.1, z), (0.85, 0.10, 0.05), darker(wood, 0.85)) for z in (-0.45, 0.45)]
    return [*legs, *rails, box((0, 0.27, 0), (1.1, 0.09, 0.65), wood, pattern=Pattern.WOOD)]


RECIPES: Mapping[str, Callable[[Palette], list[Solid]]] = MappingProxyType(
    {
        made.__name__: made
        for made in (
            sword, hammer, shield, house, tower, robot, figure, car, chair, table,
            *(getattr(things, name) for name in things.__all__),
        )
    }
)  # fmt: skip
"""How to build each kind of object."""

_FROM_THE_FRONT = View(yaw=0, pitch=0)
VIEWS: Mapping[str, View] = MappingProxyType(
    {
        "sword": _FROM_THE_FRONT,
        "shield": _FROM_THE_FRONT,
        "robot": View(yaw=-16, pitch=8),
        "figure": View(yaw=-16, pitch=8),
        "house": View(yaw=-30, pitch=16),
        "car": View(yaw=-28, pitch=14),
        "animal": View(yaw=-24, pitch=10),
    }
)
"""From where an object is best seen; the others are seen at an angle, from a little above."""
