"""Accessors that share bytes without being the same: an edit of one would reach the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asset_processing.document import GlbDocument
    from asset_processing.layout import Accessor

__all__ = ["first_overlap"]


@dataclass(frozen=True, slots=True, order=True)
class _Region:
    """The bytes of an accessor's elements; equal ones are one region."""

    buffer: int
    start: int
    end: int
    stride: int
    element: int


def first_overlap(document: GlbDocument) -> tuple[int, int] | None:
    """Return two accessors that overlap in part, the one that begins first before the other.

    Accessors that read exactly the same bytes alike are no such pair, nor are interleaved ones.
    None where there is no pair. What is compressed is not looked at.
    """
    owners: dict[_Region, int] = {}
    for index, accessor in enumerate(document.accessors):
        for region in _regions(document, accessor):
            owners.setdefault(region, index)
    # Those that are disjoint and not yet over: at most one for each byte of a stride of 252.
    active: list[_Region] = []
    for region in sorted(owners):
        active = [
            other for other in active if other.buffer == region.buffer and other.end > region.start
        ]
        for other in active:
            if _meet(other, region):
                return owners[other], owners[region]
        active.append(region)
    return None


def _regions(document: GlbDocument, accessor: Accessor) -> Iterator[_Region]:
    parts = [accessor]
    if accessor.sparse:
        parts += [accessor.sparse.indices, accessor.sparse.values]
    for part in parts:
        if part.view is None or document.views[part.view].compressed:
            continue
        view = document.views[part.view]
        start, stride = view.start + part.offset, view.stride or part.element_bytes
        end = start + stride * (part.count - 1) + part.element_bytes
        step = stride if part.count > 1 else part.element_bytes
        yield _Region(view.buffer, start, end, step, part.element_bytes)


def _meet(one: _Region, other: _Region) -> bool:
    """Tell whether two regions whose extents overlap share a byte.

    Elements lie apart where both repeat alike, or where one fits between the other's elements.
    """
    if one.stride == other.stride:
        return _touch(one, other.start, other.element)
    return _touch(one, other.start, other.end - other.start) and _touch(
        other, one.start, one.end - one.start
    )


def _touch(region: _Region, start: int, length: int) -> bool:
    """Tell whether bytes reach into the elements of a region that goes on for ever."""
    into = (start - region.start) % region.stride
    return into < region.element or into + length > region.stride
