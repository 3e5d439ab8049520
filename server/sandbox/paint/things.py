"""Natural things and vessels, built from solids."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from server.sandbox.paint.palette import Palette, ball, box, darker, tube
from server.sandbox.paint.solids import Pattern, Shape, Solid

__all__ = [
    "animal", "barrel", "chest", "crate", "cup", "figurine", "gem", "lamp", "mushroom", "pine",
    "potion", "rock", "tree",
]  # fmt: skip

_WOOD = (0.58, 0.39, 0.22)
_IRON = (0.34, 0.35, 0.38)
_CREAM = (0.94, 0.90, 0.79)
_GREEN = (0.27, 0.52, 0.20)
_BRASS = (0.83, 0.65, 0.25)
_LYING = (0.0, 0.0, 90.0)


def mushroom(p: Palette) -> list[Solid]:
    """A stem, a ring and a spotted cap."""
    cap, stem, width = p.main((0.80, 0.14, 0.11)), p.second(_CREAM), p.between(0.78, 1.0)
    return [
        tube(-1.0, 0.18, (0.34, 0.22), _CREAM, gloss=0.1),
        ball((0, -0.95, 0), (0.40, 0.16, 0.40), darker(_CREAM, 0.94), gloss=0.1),
        tube(-0.02, 0.10, (0.40, 0.24), darker(_CREAM, 0.97), gloss=0.1),
        tube(-0.06, 0.16, (width * 0.35, width * 0.93), darker(_CREAM, 0.82), gloss=0.05),
        ball((0, 0.30, 0), (width, p.between(0.42, 0.56), width), cap, gloss=0.55,
             pattern=Pattern.SPOTS, second=stem),
    ]  # fmt: skip


def crate(p: Palette) -> list[Solid]:
    """Planks between four posts, with rails above and below."""
    wood = p.main(_WOOD)
    rail = p.second(darker(wood, 0.78))
    parts = [box((0, 0, 0), (0.86, 0.86, 0.86), wood, pattern=Pattern.WOOD)]
    corners = [(x, z) for x in (-0.84, 0.84) for z in (-0.84, 0.84)]
    parts += [box((x, 0, z), (0.14, 0.96, 0.14), rail) for x, z in corners]
    for y in (-0.84, 0.84):
        parts += [box((0, y, z), (0.84, 0.13, 0.12), rail) for z in (-0.86, 0.86)]
        parts += [box((x, y, 0), (0.12, 0.13, 0.84), rail) for x in (-0.86, 0.86)]
    parts.append(box((0, 0, 0.87), (0.98, 0.11, 0.06), rail, turn=(0, 0, 45)))
    parts.append(box((0.87, 0, 0), (0.06, 0.11, 0.98), rail, turn=(45, 0, 0)))
    return parts


def barrel(p: Palette) -> list[Solid]:
    """Staves that bulge, and hoops."""
    wood, hoop, bulge = p.main(_WOOD), p.second(_IRON), p.between(0.74, 0.82)
    profile = (
        (-1.0, 0.6), (-0.45, bulge - 0.04), (0.0, bulge), (0.45, bulge - 0.04), (1.0, 0.6)
    )  # fmt: skip
    parts = [
        tube(low, high, (first, last), wood, pattern=Pattern.WOOD)
        for (low, first), (high, last) in pairwise(profile)
    ]
    for y, radius in ((-0.85, 0.665), (-0.35, bulge), (0.35, bulge), (0.85, 0.665)):
        parts.append(tube(y - 0.07, y + 0.07, (radius + 0.02, radius + 0.02), hoop, gloss=0.6))
    parts.append(tube(0.96, 1.0, (0.52, 0.52), darker(wood, 0.8), pattern=Pattern.WOOD))
    return parts


def rock(p: Palette) -> list[Solid]:
    """A few weathered lumps grown into one."""
    stone, moss = p.main((0.52, 0.51, 0.49)), p.second((0.36, 0.46, 0.24))
    parts = [
        ball((0, -0.1, 0), (0.95, 0.68, 0.8), stone, gloss=0.05, pattern=Pattern.STONE, second=moss)
    ]
    for _ in range(9):
        x, z, size = p.between(-0.62, 0.62), p.between(-0.5, 0.6), p.between(0.30, 0.55)
        turn = (p.between(-40, 40), p.between(0, 90), p.between(-40, 40))
        parts.append(
            ball((x, p.between(-0.35, 0.25), z), (size, size * 0.75, size * 0.85), stone,
                 gloss=0.05, pattern=Pattern.STONE, second=moss, turn=turn)
        )  # fmt: skip
    return parts


def tree(p: Palette) -> list[Solid]:
    """A trunk with a crown of several clumps."""
    leaf, bark = p.main(_GREEN), p.second((0.40, 0.28, 0.18))
    parts = [
        tube(-1.3, 0.2, (0.24, 0.13), bark, pattern=Pattern.WOOD, gloss=0.05),
        tube(-1.3, -1.1, (0.36, 0.22), bark, gloss=0.05),
    ]
    for k in range(9):
        turn, ring = k * 2.4 + p.between(0, 0.5), 0.52 * np.sqrt(k / 9)
        size, height = p.between(0.40, 0.56), 0.75 - 0.9 * ring + p.between(-0.1, 0.15)
        at = (float(ring * np.cos(turn)), float(height), float(ring * np.sin(turn)))
        parts.append(ball(at, (size, size * 0.9, size), leaf, gloss=0.05, pattern=Pattern.LEAVES))
    return parts


def pine(p: Palette) -> list[Solid]:
    """Cones of needles, one above the other."""
    leaf, bark = p.main((0.16, 0.42, 0.25)), p.second((0.40, 0.28, 0.18))
    parts = [tube(-1.3, -0.6, (0.18, 0.15), bark, pattern=Pattern.WOOD, gloss=0.05)]
    for low, high, radius in ((-0.85, 0.1, 0.85), (-0.3, 0.6, 0.66), (0.25, 1.25, 0.46)):
        parts.append(tube(low, high, (radius, 0.03), leaf, pattern=Pattern.LEAVES, gloss=0.05))
    return parts


def potion(p: Palette) -> list[Solid]:
    """A round flask, filled, with a cork."""
    drink, cork, body = p.any_colour(), p.second((0.66, 0.48, 0.30)), p.between(0.66, 0.78)
    glass = (0.80, 0.88, 0.90)
    return [
        ball((0, -0.35, 0), (body, body * 0.92, body), drink, gloss=1.0),
        tube(-0.98, -0.86, (body * 0.62, body * 0.5), darker(drink, 0.8), gloss=0.8),
        tube(0.1, 0.66, (0.27, 0.21), glass, gloss=1.0),
        tube(0.62, 0.74, (0.31, 0.31), glass, gloss=1.0),
        tube(0.70, 0.98, (0.20, 0.24), cork, gloss=0.05, pattern=Pattern.WOOD),
        tube(0.08, 0.2, (0.34, 0.30), _BRASS, gloss=0.8),
    ]


def chest(p: Palette) -> list[Solid]:
    """Planks, a round lid, iron bands and a lock."""
    wood, band = p.main(_WOOD), p.second(_IRON)
    parts = [
        box((0, -0.42, 0), (1.0, 0.42, 0.62), wood, pattern=Pattern.WOOD),
        replace(tube(-1.0, 1.0, (0.62, 0.62), wood, pattern=Pattern.WOOD), turn=_LYING),
        box((0, -0.02, 0), (1.04, 0.06, 0.66), band, gloss=0.6),
        box((0, -0.80, 0), (1.04, 0.06, 0.66), band, gloss=0.6),
    ]
    for x in (-0.72, 0.72):
        parts.append(box((x, -0.42, 0), (0.10, 0.45, 0.66), band, gloss=0.6))
        strap = tube(-0.1, 0.1, (0.66, 0.66), band, gloss=0.6)
        parts.append(replace(strap, centre=(x, 0.0, 0.0), turn=_LYING))
    lock = box((0, -0.08, 0.68), (0.16, 0.20, 0.06), _BRASS, gloss=0.8)
    return [*parts, lock, ball((0, -0.10, 0.74), (0.05, 0.06, 0.03), darker(_BRASS, 0.3))]


def gem(p: Palette) -> list[Solid]:
    """A cluster of pointed crystals."""
    stone = p.any_colour()
    parts = [ball((0, -0.95, 0), (0.7, 0.22, 0.6), darker((0.5, 0.5, 0.52)), pattern=Pattern.STONE)]
    for k in range(7):
        lean, turn = (0.0 if k == 0 else p.between(14, 34)), np.radians(k * 60.0)
        length, radius = (1.0, 0.30) if k == 0 else (p.between(0.5, 0.75), p.between(0.2, 0.26))
        out = float(np.sin(np.radians(lean))) * length + (0.18 if k else 0.0)
        centre = (float(np.sin(turn)) * out, length - 1.0, float(np.cos(turn)) * out)
        tilt = (lean * float(np.cos(turn)), 0.0, -lean * float(np.sin(turn)))
        parts.append(
            Solid(shape=Shape.TUBE, centre=centre, size=(radius, length, radius), colour=stone,
                  gloss=1.0, turn=tilt, top=0.05)
        )  # fmt: skip
    return parts


def cup(p: Palette) -> list[Solid]:
    """A goblet."""
    metal, rim = p.main(_BRASS), p.second((0.72, 0.12, 0.14))
    return [
        tube(-1.0, -0.88, (0.52, 0.48), metal, gloss=0.8),
        tube(-0.88, -0.62, (0.46, 0.12), metal, gloss=0.8),
        tube(-0.62, -0.2, (0.11, 0.13), metal, gloss=0.8),
        ball((0, -0.42, 0), (0.2, 0.12, 0.2), rim, gloss=0.9),
        tube(-0.2, 0.15, (0.16, 0.55), metal, gloss=0.8),
        tube(0.15, 0.95, (0.55, 0.62), metal, gloss=0.8),
        tube(0.45, 0.6, (0.6, 0.61), rim, gloss=0.8),
        tube(0.93, 0.97, (0.54, 0.54), darker(metal, 0.35), gloss=0.2),
    ]


def lamp(p: Palette) -> list[Solid]:
    """A lantern with a lit middle."""
    frame, flame = p.main(_IRON), p.second((1.0, 0.82, 0.40))
    posts = [
        tube(-0.7, 0.5, (0.06, 0.06), frame, at=(x, z), gloss=0.5)
        for x in (-0.42, 0.42) for z in (-0.42, 0.42)
    ]  # fmt: skip
    return [
        *posts,
        box((0, -0.78, 0), (0.58, 0.10, 0.58), frame, gloss=0.5),
        box((0, 0.52, 0), (0.58, 0.07, 0.58), frame, gloss=0.5),
        tube(0.55, 0.92, (0.55, 0.12), frame, gloss=0.5),
        ball((0, 1.02, 0), (0.14, 0.14, 0.14), frame, gloss=0.6),
        tube(-0.7, 0.46, (0.36, 0.36), flame, gloss=0.9),
    ]


def animal(p: Palette) -> list[Solid]:
    """Four legs, a body, a head with ears, a tail."""
    fur, light = p.main((0.70, 0.47, 0.27)), p.second(_CREAM)
    legs = [
        tube(-0.95, -0.2, (0.13, 0.17), fur, at=(x, z)) for x in (-0.5, 0.45) for z in (-0.22, 0.22)
    ]
    return [
        *legs,
        ball((-0.05, 0.0, 0), (0.78, 0.38, 0.36), fur),
        ball((0.45, 0.1, 0), (0.36, 0.40, 0.36), fur),
        ball((0.82, 0.55, 0), (0.38, 0.36, 0.34), fur),
        ball((1.16, 0.46, 0), (0.22, 0.17, 0.18), light),
        ball((1.36, 0.52, 0), (0.07, 0.06, 0.08), (0.1, 0.1, 0.1), gloss=0.8),
        ball((1.02, 0.66, 0.24), (0.07, 0.07, 0.07), (0.1, 0.1, 0.1), gloss=0.9),
        ball((0.68, 0.92, 0.18), (0.10, 0.24, 0.08), darker(fur, 0.85), turn=(0, 0, 15)),
        ball((0.68, 0.92, -0.18), (0.10, 0.24, 0.08), darker(fur, 0.85), turn=(0, 0, 15)),
        ball((-0.92, 0.28, 0), (0.42, 0.12, 0.12), fur, turn=(0, 0, -40)),
    ]


def figurine(p: Palette) -> list[Solid]:
    """Something turned on a lathe, for prompts whose object has no recipe."""
    first = p.any_colour()
    second = p.second(darker(first, 0.62))
    radius, height = p.between(0.62, 0.78), -1.0
    parts = [tube(-1.12, -1.0, (radius + 0.06, radius), second, gloss=0.5)]
    for number in range(int(p.random.integers(3, 6))):
        tall, after = p.between(0.24, 0.5), p.between(0.2, 0.74)
        colour = second if number % 2 else first
        parts.append(tube(height, height + tall, (radius, after), colour, gloss=0.5))
        ring = tube(height + tall - 0.04, height + tall + 0.04, (after + 0.05, after + 0.05),
                    _BRASS, gloss=0.8)  # fmt: skip
        parts.append(ring)
        height, radius = height + tall, after
    crown = p.between(0.3, 0.45)
    return [*parts, ball((0, height + crown * 0.7, 0), (crown, crown, crown), first, gloss=0.8)]
