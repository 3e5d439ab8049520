"""Do a job: the one function that runs in the worker process."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from server.sandbox.mesh import DecodeLimits, make_mesh
from server.sandbox.paint import draw, edit, encode, fill, open_picture, restore
from server.sandbox.work.dataset import DatasetLimits, read_dataset
from server.sandbox.work.jobs import (
    DrawJob,
    EditJob,
    FillJob,
    Job,
    MeshJob,
    Output,
    RestoreJob,
    TrainJob,
)
from server.sandbox.work.train import train

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL import Image

__all__ = ["NOTE", "Limits", "Made", "perform"]

NOTE = "Drawn by Assetwright's sandbox. Not a result of the model that was asked for."
"""What every picture says of itself."""

_PART = ".part"
_GLTF = "model/gltf-binary"
_LARGEST_EDIT = 2048  # Pixels; a 40 megapixel photograph would take gigabytes to work on.


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large inputs may be once decoded."""

    max_picture_pixels: int = 40_000_000
    dataset: DatasetLimits = field(default_factory=DatasetLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file that was made.

    Attributes:
        path: Where it is.
        media_type: What it is.
        size_bytes: Its length.
    """

    path: Path
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    extension: str
    media_type: str


def perform(job: Job, inputs: Sequence[bytes], *, limits: Limits, stem: Path) -> tuple[Made, ...]:
    """Do a job and write its files beside `stem`; each appears complete or not at all.

    Args:
        job: What to make.
        inputs: The bytes of what the job starts from, in its order.
        limits: How large they may be.
        stem: A path without an extension; a number follows it from the second file on.

    Raises:
        InputError: An input cannot be used.
    """
    made = []
    for number, file in enumerate(_files(job, inputs, limits), start=1):
        name = stem.name + (f"-{number}" if number > 1 else "")
        target = stem.with_name(f"{name}.{file.extension}")
        unfinished = target.with_name(target.name + _PART)
        unfinished.write_bytes(file.data)
        unfinished.replace(target)
        made.append(Made(path=target, media_type=file.media_type, size_bytes=len(file.data)))
    return tuple(made)


def _files(job: Job, inputs: Sequence[bytes], limits: Limits) -> Iterator[_File]:
    match job:
        case MeshJob():
            pixels = DecodeLimits(max_pixels=limits.max_picture_pixels)
            yield _File(make_mesh(inputs[0], job.options, limits=pixels)[0], "glb", _GLTF)
        case TrainJob():
            archive = replace(limits.dataset, max_picture_pixels=limits.max_picture_pixels)
            data = train(job, read_dataset(inputs[0], archive))
            yield _File(data, "safetensors", "application/octet-stream")
        case _:
            decoded = [open_picture(one, max_pixels=limits.max_picture_pixels) for one in inputs]
            for image in _pictures(job, decoded):
                yield _encoded(image, job.output)


def _pictures(
    job: DrawJob | EditJob | FillJob | RestoreJob, inputs: Sequence[Image.Image]
) -> Iterator[Image.Image]:
    for number in range(job.output.count):
        match job:
            case DrawJob():
                yield draw(job.prompt, seed=job.seed + number, size=job.size)
            case EditJob():
                size = job.size or _within(inputs[0].size)
                seed = job.seed + number
                yield edit(inputs[0], job.prompt, strength=job.strength, seed=seed, size=size)
            case FillJob():
                size = _filled_size(inputs[0], job.pixels)
                yield fill(inputs[0], inputs[1], job.prompt, seed=job.seed + number, size=size)
            case RestoreJob():
                yield restore(inputs[0])


def _within(size: tuple[int, int]) -> tuple[int, int]:
    """A size in the same proportions, none of whose sides is too large to edit."""
    scale = min(1.0, _LARGEST_EDIT / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _filled_size(image: Image.Image, pixels: int | None) -> tuple[int, int]:
    """The input's proportions at about a count of pixels."""
    scale = 1.0 if pixels is None else (pixels / (image.width * image.height)) ** 0.5
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def _encoded(image: Image.Image, output: Output) -> _File:
    data = encode(image, output.format, quality=output.quality, note=NOTE)
    return _File(data, output.format.extension, output.format.media_type)
