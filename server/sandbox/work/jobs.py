"""What is to be made, in the sandbox's own words: no model's parameter names past this point."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from server.sandbox.mesh import MeshOptions
    from server.sandbox.paint import PictureFormat

__all__ = ["DrawJob", "EditJob", "FillJob", "Job", "MeshJob", "Output", "RestoreJob", "TrainJob"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How pictures are to be written.

    Attributes:
        format: What they are encoded as.
        quality: From 0 to 100, where the format is lossy.
        count: How many.
    """

    format: PictureFormat
    quality: int = 90
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshJob:
    """A mesh from one picture."""

    options: MeshOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawJob:
    """Pictures from words alone.

    Attributes:
        prompt: What to draw.
        size: Width and height.
        seed: The first picture's; each further one has the next.
        output: How to write them.
    """

    prompt: str = field(repr=False)
    size: tuple[int, int]
    seed: int
    output: Output


@dataclass(frozen=True, slots=True, kw_only=True)
class EditJob:
    """Pictures from one picture and words.

    Attributes:
        prompt: How to change it.
        strength: From 0, not at all, to 1.
        size: Width and height; `None` keeps the input's.
        seed: As for `DrawJob`.
        output: How to write them.
    """

    prompt: str = field(repr=False)
    strength: float
    size: tuple[int, int] | None
    seed: int
    output: Output


@dataclass(frozen=True, slots=True, kw_only=True)
class FillJob:
    """Pictures from one picture, a mask, and words.

    Attributes:
        prompt: What to draw where the mask is white.
        pixels: About how many pixels the result has; `None` keeps the input's size.
        seed: As for `DrawJob`.
        output: How to write them.
    """

    prompt: str = field(repr=False)
    pixels: int | None
    seed: int
    output: Output


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreJob:
    """A cleaner version of one picture."""

    output: Output


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainJob:
    """A small adapter file from a data set.

    Attributes:
        base: The model it pretends to adapt.
        steps: As asked.
        learning_rate: As asked.
    """

    base: str
    steps: int
    learning_rate: float


Job: TypeAlias = MeshJob | DrawJob | EditJob | FillJob | RestoreJob | TrainJob
