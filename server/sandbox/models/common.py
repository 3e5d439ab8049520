"""What descriptions have in common: paths, prices, formats, sizes, and the usual jobs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from server.sandbox.models.checks import NEEDS_URL, text, url
from server.sandbox.models.spec import Parameter, seed_of
from server.sandbox.paint import PictureFormat
from server.sandbox.work.jobs import DrawJob, Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.sandbox.models.checks import Check
    from server.sandbox.models.spec import Body

__all__ = [
    "AN_ADDRESS",
    "A_PROMPT",
    "MAX_SIDE",
    "UNPUBLISHED",
    "drawing",
    "flat",
    "integer_of",
    "number_of",
    "optional",
    "output_of",
    "ratio_size",
    "text_of",
]

MAX_SIDE = 4096
"""Largest side of a picture: the sandbox's own bound where a page has none."""

A_PROMPT = Parameter(check=text, required=True)
AN_ADDRESS = Parameter(check=url, required=True, when_missing=NEEDS_URL)

_FORMATS = {
    "png": PictureFormat.PNG,
    "jpg": PictureFormat.JPEG,
    "jpeg": PictureFormat.JPEG,
    "webp": PictureFormat.WEBP,
}
_GRID = 8  # Sizes of diffusion models are multiples of it.


def optional(**checks: Check) -> dict[str, Parameter]:
    """Name parameters that may be left out."""
    return {name: Parameter(check=check) for name, check in checks.items()}


def flat(price: str) -> Callable[[Body], Decimal]:
    """Charge the same for every request."""
    amount = Decimal(price)
    return lambda _: amount


UNPUBLISHED = flat("0")
"""Where the page could not load a price: nothing is charged."""


def text_of(body: Body, name: str, default: str = "") -> str:
    """Read a checked string."""
    value = body.get(name, default)
    return value if isinstance(value, str) else default


def integer_of(body: Body, name: str, default: int) -> int:
    """Read a checked integer."""
    value = body.get(name, default)
    return value if isinstance(value, int) else default


def number_of(body: Body, name: str, default: float) -> float:
    """Read a checked number."""
    value = body.get(name, default)
    return float(value) if isinstance(value, int | float) else default


def output_of(body: Body, *, usual: str, count: str | None = None) -> Output:
    """Read how pictures are to be written: format, quality, and how many."""
    return Output(
        format=_FORMATS[text_of(body, "output_format", usual)],
        quality=integer_of(body, "output_quality", 90),
        count=1 if count is None else integer_of(body, count, 1),
    )


def drawing(
    size: Callable[[Body], tuple[int, int]],
    *,
    usual: str,
    count: str | None = None,
    seeded: bool = False,
) -> Callable[[Body], DrawJob]:
    """Draw what the prompt says.

    Args:
        size: Reads width and height.
        usual: The format where none is asked for.
        count: The field that says how many pictures.
        seeded: Whether the page has a seed, and so a different picture each time without one.
            Where it has none, the prompt alone decides.
    """
    return lambda body: DrawJob(
        prompt=text_of(body, "prompt"),
        size=size(body),
        seed=seed_of(body) if seeded else 0,
        output=output_of(body, usual=usual, count=count),
    )


def ratio_size(width: int, height: int, *, longest: int) -> tuple[int, int]:
    """Width and height in a ratio, the longer side given, the other on the usual grid."""
    scale = longest / max(width, height)
    across, down = (max(_GRID, round(side * scale / _GRID) * _GRID) for side in (width, height))
    return across, down
