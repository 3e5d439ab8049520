"""What a prompt asks a picture to look like: its object, its colours, its background."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise, takewhile
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.sandbox.paint.solids import Colour

__all__ = ["COLOURS", "Look", "read_prompt", "seeded"]

COLOURS: Mapping[str, Colour] = MappingProxyType(
    {
        "red": (0.80, 0.13, 0.11), "crimson": (0.70, 0.08, 0.16), "ruby": (0.72, 0.06, 0.22),
        "scarlet": (0.85, 0.14, 0.08), "orange": (0.93, 0.50, 0.12), "amber": (0.93, 0.62, 0.14),
        "yellow": (0.95, 0.81, 0.18), "gold": (0.85, 0.64, 0.19), "golden": (0.85, 0.64, 0.19),
        "green": (0.24, 0.60, 0.24), "emerald": (0.08, 0.58, 0.38), "lime": (0.60, 0.83, 0.20),
        "olive": (0.45, 0.47, 0.18), "teal": (0.10, 0.53, 0.53),
        "turquoise": (0.19, 0.73, 0.71), "cyan": (0.22, 0.76, 0.85), "blue": (0.16, 0.36, 0.78),
        "navy": (0.12, 0.18, 0.42), "sapphire": (0.10, 0.24, 0.68), "purple": (0.48, 0.22, 0.65),
        "violet": (0.55, 0.31, 0.80), "magenta": (0.80, 0.17, 0.58), "pink": (0.94, 0.52, 0.66),
        "brown": (0.45, 0.29, 0.17), "wooden": (0.60, 0.41, 0.23), "tan": (0.80, 0.66, 0.47),
        "beige": (0.87, 0.80, 0.67), "cream": (0.95, 0.91, 0.80), "white": (0.94, 0.94, 0.92),
        "ivory": (0.94, 0.92, 0.83), "silver": (0.74, 0.76, 0.79), "grey": (0.52, 0.53, 0.54),
        "gray": (0.52, 0.53, 0.54), "black": (0.13, 0.13, 0.15), "bronze": (0.62, 0.43, 0.22),
        "copper": (0.74, 0.43, 0.27), "rusty": (0.60, 0.30, 0.16), "peach": (0.98, 0.75, 0.60),
        "dark": (0.20, 0.20, 0.23), "bright": (0.93, 0.93, 0.90), "light": (0.92, 0.92, 0.90),
    }
)  # fmt: skip
"""The colour words that are honoured."""

_TONES = frozenset({"dark", "bright", "light"})  # They colour a background, not an object.

_OBJECTS: Mapping[str, str] = MappingProxyType(
    {
        word: name
        for name, words in {
            "mushroom": "mushroom mushrooms toadstool fungus",
            "crate": "crate crates box cube",
            "barrel": "barrel barrels keg cask drum",
            "rock": "rock rocks stone stones boulder asteroid",
            "sword": "sword swords blade dagger katana",
            "tree": "tree trees oak bonsai bush",
            "pine": "pine fir spruce conifer",
            "house": "house houses cottage hut cabin barn tavern",
            "tower": "tower castle lighthouse keep",
            "robot": "robot robots droid android mech golem",
            "potion": "potion potions flask bottle vial elixir",
            "chest": "chest treasure strongbox",
            "gem": "gem crystal jewel diamond",
            "shield": "shield buckler",
            "car": "car cars truck vehicle spaceship",
            "chair": "chair stool throne",
            "table": "table desk bench",
            "figure": "knight warrior man woman person wizard soldier hero figure model",
            "animal": "dog cat animal fox wolf horse iguana creature dragon dinosaur",
            "cup": "cup mug goblet chalice coffee",
            "lamp": "lamp lantern torch candle",
            "hammer": "hammer mallet axe",
        }.items()
        for word in words.split()
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was understood of a prompt.

    Attributes:
        name: The object's kind; "figurine" where no word names one.
        colours: The colours it names for the object, in order.
        background: The colour it names for the background.
    """

    name: str
    colours: tuple[Colour, ...]
    background: Colour | None


def read_prompt(prompt: str) -> Look:
    """Understand the few words that the sandbox can draw."""
    words = re.findall(r"[a-z]+", prompt.lower())
    behind = {first for first, second in pairwise(words) if second.startswith("backg")}
    background = next((COLOURS[word] for word in words if word in behind & set(COLOURS)), None)
    named = [word for word in words if word in COLOURS and word not in _TONES | behind]
    return Look(
        name=_object(words),
        colours=tuple(COLOURS[word] for word in dict.fromkeys(named)),
        background=background,
    )


def seeded(*parts: object) -> np.random.Generator:
    """Make a source of randomness that only depends on `parts`."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest()[:16], "big"))


def _object(words: list[str]) -> str:
    """The first known word; of several in a row the last, as in "stone house"."""
    for index, word in enumerate(words):
        if word in _OBJECTS:
            rest = takewhile(_OBJECTS.__contains__, words[index:])
            *others, last = [_OBJECTS[known] for known in rest]
            return "pine" if last == "tree" and "pine" in others else last
    return "figurine"
