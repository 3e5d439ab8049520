"""The bytes of the binary chunk: as they came in, changed in place, left out, or moved together."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Binary", "Span", "merged", "subtracted"]

Span = tuple[int, int]
"""First byte and the byte behind the last."""

_ALIGNMENT = 4  # No component of an accessor is wider (glTF 2.0, 3.6.2.4).


class Binary:
    """A range of bytes that can be changed in places without being copied as a whole.

    Args:
        data: The bytes.
        spans: What is read in one piece: the buffer views. Where one is changed, whatever
            overlaps it sees the change.
    """

    def __init__(self, data: memoryview, spans: Iterable[Span]) -> None:
        self._data = data
        self._spans = merged(spans, touching=False)
        self._starts = [start for start, _ in self._spans]
        self._patches: dict[Span, bytearray] = {}

    @property
    def changed(self) -> bool:
        """Whether any byte may have been changed."""
        return bool(self._patches)

    def read(self, start: int, length: int) -> memoryview:
        """Return bytes as they are now; the range lies in one of the spans."""
        span = self._span_at(start)
        if span not in self._patches:
            return self._data[start : start + length]
        offset = start - span[0]
        return memoryview(self._patches[span])[offset : offset + length].toreadonly()

    def edit(self, start: int, length: int) -> memoryview:
        """Return bytes for changing; they and what overlaps them are copied once."""
        span = self._span_at(start)
        if span not in self._patches:
            self._patches[span] = bytearray(self._data[span[0] : span[1]])
        offset = start - span[0]
        return memoryview(self._patches[span])[offset : offset + length]

    def pieces(self, kept: Sequence[Span]) -> tuple[list[bytes | memoryview], list[int]]:
        """Return what is kept, to be written in order, and where each kept span then begins.

        A span keeps its remainder by four, so that what is aligned in it stays aligned.
        """
        found: list[bytes | memoryview] = []
        places: list[int] = []
        length = 0
        for start, end in kept:
            padding = (start - length) % _ALIGNMENT
            if padding:
                found.append(bytes(padding))
            places.append(length + padding)
            found += self._slices(start, end)
            length += padding + end - start
        return found, places

    def _span_at(self, start: int) -> Span:
        return self._spans[bisect_right(self._starts, start) - 1]

    def _slices(self, start: int, end: int) -> list[memoryview]:
        cuts = [start]
        patched = sorted(span for span in self._patches if span[0] < end and span[1] > start)
        for span in patched:
            cuts += [max(span[0], start), min(span[1], end)]
        cuts.append(end)
        found = []
        for low, high in pairwise(cuts):
            if high > low:
                patch = next((span for span in patched if span[0] <= low and high <= span[1]), None)
                if patch is None:
                    found.append(self._data[low:high])
                else:
                    found.append(memoryview(self._patches[patch])[low - patch[0] : high - patch[0]])
        return found


def merged(spans: Iterable[Span], *, touching: bool = True) -> list[Span]:
    """Unite spans that overlap, in order; also those that only touch, where that is wanted."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and (start < found[-1][1] or (touching and start == found[-1][1])):
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def subtracted(spans: Iterable[Span], less: Iterable[Span]) -> list[Span]:
    """Return what of ``spans`` lies in none of ``less``, in order."""
    found: list[Span] = []
    cuts = merged(less)
    place = 0
    for start, end in merged(spans):
        while place and cuts[place - 1][1] > start:
            place -= 1
        while place < len(cuts) and cuts[place][1] <= start:
            place += 1
        low, look = start, place
        while look < len(cuts) and cuts[look][0] < end:
            if cuts[look][0] > low:
                found.append((low, cuts[look][0]))
            low = max(low, cuts[look][1])
            look += 1
        if low < end:
            found.append((low, end))
    return found
