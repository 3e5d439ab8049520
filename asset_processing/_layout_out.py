"""Where the buffer views lie once the binary chunk is written again."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from asset_processing.layout import COMPRESSED_VIEW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from asset_processing._binary import Span
    from asset_processing._fields import JsonObject

__all__ = ["Layout", "relocated", "spans_in_chunk"]

_ALIGNMENT = 4


class Layout:
    """The new binary chunk: spans of the old one, then what is appended.

    Args:
        kept: The spans of the old chunk, in order.
        places: Where each begins in the new one.
        length: Bytes so far.
    """

    def __init__(self, kept: Sequence[Span], places: Sequence[int], *, length: int) -> None:
        self._starts = [start for start, _ in kept]
        self._places = places
        self.length = length

    def moved(self, start: int) -> int:
        """Return where a byte of a kept span is now; 0 for one that no span holds."""
        span = bisect_right(self._starts, start) - 1
        return 0 if span < 0 else start - self._starts[span] + self._places[span]

    def pad(self) -> bytes:
        """Return what comes before the next appended bytes, so that they are aligned."""
        padding = bytes(-self.length % _ALIGNMENT)
        self.length += len(padding)
        return padding

    def append(self, length: int) -> int:
        """Return where bytes appended now begin."""
        start = self.length
        self.length += length
        return start


def relocated(
    json: JsonObject, layout: Layout, *, own: Mapping[int, int], chunk: bool
) -> JsonObject:
    """Return the document with every buffer view where the layout has it.

    Only what changes is copied.

    Args:
        json: The document.
        layout: The new binary chunk.
        own: Where the views with bytes of their own begin.
        chunk: Buffer 0 is the binary chunk.
    """
    if not chunk:
        return json
    found = dict(json)
    found["buffers"] = [{**json["buffers"][0], "byteLength": layout.length}, *json["buffers"][1:]]
    found["bufferViews"] = views = list(json.get("bufferViews", []))
    for index, view in enumerate(views):
        if index in own:
            views[index] = {**view, "byteOffset": own[index]}
        else:
            views[index] = _moved(view, layout)
    return found


def _moved(view: JsonObject, layout: Layout) -> JsonObject:
    """A view of the old chunk; one that leaves the file may get any offset."""
    if view["buffer"] == 0:
        start = view.get("byteOffset", 0)
        place = layout.moved(start)
        if place != start:
            view = {**view, "byteOffset": place}
    for name, extension in _compressed(view):
        start = extension.get("byteOffset", 0)
        extension = {**extension, "byteOffset": layout.moved(start)}  # noqa: PLW2901
        view = {**view, "extensions": {**view["extensions"], name: extension}}
    return view


def _compressed(view: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """The extensions of a view whose bytes are in the binary chunk."""
    for name in COMPRESSED_VIEW:
        extension = view.get("extensions", {}).get(name)
        if extension is not None and extension["buffer"] == 0:
            yield name, extension


def spans_in_chunk(view: JsonObject) -> list[Span]:
    """Return what a view reads in buffer 0: its bytes, its compressed bytes, or neither."""
    found = []
    holders = [view] if view["buffer"] == 0 else []
    for holder in (*holders, *(extension for _, extension in _compressed(view))):
        start = holder.get("byteOffset", 0)
        found.append((start, start + holder["byteLength"]))
    return found
