"""The two ways to move a whole asset: bake into the vertices, or one node above everything.

Baking leaves the cleanest file (an editor shows a scale of 1 and the mesh's own origin at the
pivot), but every number that is a length has to follow: positions, their ranges, translations.
That is certain only for a simple file. In any other one (skins, animations, morph targets,
cameras, compressed, quantized or sparse vertices, an extension not known to be free of lengths) a
new node above the scene's roots moves everything that hangs below it, joints included, and
no vertex, no animation and no inverse bind matrix has to change.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing._binary import merged
from asset_processing._references import extensions_in
from asset_processing.accessors import extent
from asset_processing.primitives import primitives

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from asset_processing._fields import JsonObject
    from asset_processing.accessors import Floats
    from asset_processing.document import GlbDocument
    from asset_processing.layout import Accessor

__all__ = [
    "ROOT_NAME",
    "Region",
    "add_to",
    "bakeable_regions",
    "lengths",
    "move_roots",
    "obstacle",
    "turned_quaternion",
]

ROOT_NAME = "AssetwrightRoot"

# Extensions that hold no length and no transform. Anything else could, and is left alone.
WITHOUT_LENGTHS = frozenset(
    {
        "EXT_texture_avif",
        "EXT_texture_webp",
        "KHR_materials_anisotropy",
        "KHR_materials_clearcoat",
        "KHR_materials_emissive_strength",
        "KHR_materials_ior",
        "KHR_materials_iridescence",
        "KHR_materials_pbrSpecularGlossiness",
        "KHR_materials_sheen",
        "KHR_materials_specular",
        "KHR_materials_transmission",
        "KHR_materials_unlit",
        "KHR_materials_variants",
        "KHR_texture_basisu",
        "KHR_texture_transform",
    }
)
_FLOAT = 5126
_FLOAT_BYTES = 4
_ROWS = 1 << 14  # Moved at once: they fit into the processor's cache.


@dataclass(frozen=True, slots=True)
class Region:
    """Positions: where they are, and which accessors read exactly them.

    Attributes:
        store: None for the binary chunk, else the buffer view with bytes of its own.
        start: First byte in that.
        stride: Bytes from one vertex to the next.
        count: Vertices.
        accessors: The accessors that are this region.
    """

    store: int | None
    start: int
    stride: int
    count: int
    accessors: tuple[int, ...]

    @property
    def end(self) -> int:
        """The byte behind the last coordinate."""
        return self.start + self.stride * (self.count - 1) + 3 * _FLOAT_BYTES


def obstacle(document: GlbDocument) -> str | None:
    """Return why transforms cannot be baked into the vertices; None where they can."""
    json = document.json
    for name in ("skins", "animations", "cameras"):
        if json.get(name):
            return f"the file has {name}"
    if len(json.get("scenes", [])) > 1:
        return "the file has several scenes"
    unknown = sorted(extensions_in(json) - WITHOUT_LENGTHS)
    if unknown:
        return f"the file uses {unknown[0]}"
    if any(
        "targets" in primitive
        for mesh in json.get("meshes", [])
        for primitive in mesh.get("primitives", [])
    ):
        return "the file has morph targets"
    return None if bakeable_regions(document) is not None else _SHARED


_SHARED = "its positions are not plain float vectors of their own in the binary chunk"


def bakeable_regions(document: GlbDocument) -> tuple[Region, ...] | None:
    """Return the places of all positions, each byte in one region only.

    None where that cannot be: a position is not three aligned floats in buffer 0, two accessors
    overlap without being the same, or something that is no position reads the same bytes.
    """
    used = sorted(
        {
            primitive.position
            for mesh in range(len(document.json.get("meshes", [])))
            for primitive in primitives(document, mesh)
        }
    )
    if not all(_is_plain(document, document.accessors[index]) for index in used):
        return None
    groups: dict[_Place, list[int]] = {}
    for index in used:
        groups.setdefault(_place(document, document.accessors[index]), []).append(index)
    regions = tuple(Region(*place, tuple(group)) for place, group in groups.items())
    stores = {region.store for region in regions}
    exclusive = all(
        _are_exclusive(
            document,
            [region for region in regions if region.store == store],
            set(used),
            store=store,
        )
        for store in stores
    )
    return regions if exclusive else None


_Place = tuple[int | None, int, int, int]  # Store, start, stride, count.


def _is_plain(document: GlbDocument, accessor: Accessor) -> bool:
    if accessor.view is None or accessor.sparse or accessor.component_type != _FLOAT:
        return False
    _, start, stride, _ = _place(document, accessor)
    aligned = start % _FLOAT_BYTES == 0 and stride % _FLOAT_BYTES == 0
    readable = document.owns(accessor.view) or document.shares_chunk(accessor.view)
    return readable and not document.views[accessor.view].compressed and aligned


def _store(document: GlbDocument, view: int) -> int | None:
    return None if document.shares_chunk(view) else view


def _place(document: GlbDocument, accessor: Accessor) -> _Place:
    index = accessor.view or 0
    view = document.views[index]
    stride = view.stride or accessor.element_bytes
    return _store(document, index), view.start + accessor.offset, stride, accessor.count


def _are_exclusive(
    document: GlbDocument, regions: Sequence[Region], positions: set[int], *, store: int | None
) -> bool:
    """Mark every word that a position takes; nobody else may touch a marked one."""
    extents = merged([(region.start, region.end) for region in regions], touching=False)
    foreign = [
        span
        for span in _foreign_ranges(document, positions, store=store)
        if _meets(extents, span[0], span[1])
    ]
    if not foreign and len(extents) == len(regions):
        return True
    length = max(region.end for region in regions)
    taken = np.zeros(-(-length // _FLOAT_BYTES), dtype=bool)
    for region in regions:
        words = _words(taken, region)
        if words.any():
            return False
        words[:] = True
    return not any(
        step is None or taken[start // _FLOAT_BYTES : -(-end // _FLOAT_BYTES) : step].any()
        for start, end, step in foreign
    )


def _words(taken: NDArray[np.bool_], region: Region) -> NDArray[np.bool_]:
    """The marks of a region's coordinates, shape (count, 3), as a view."""
    return np.ndarray(
        (region.count, 3),
        np.bool_,
        buffer=taken.data,
        offset=region.start // _FLOAT_BYTES,
        strides=(region.stride // _FLOAT_BYTES, 1),
    )


def _meets(extents: list[tuple[int, int]], start: int, end: int) -> bool:
    after = bisect_left(extents, (end, 0))
    return after > 0 and extents[after - 1][1] > start


def _foreign_ranges(
    document: GlbDocument, positions: set[int], *, store: int | None
) -> Iterator[tuple[int, int, int | None]]:
    """Yield what is read as anything else: first byte, end, step in words.

    Without a step the bytes are read in one piece; those may not even lie between positions.
    """
    by_accessor = set()
    ranges: set[tuple[int, int, int | None]] = set()
    for index, accessor in enumerate(document.accessors):
        for part in (accessor, *_sparse_parts(accessor)):
            if part.view is None:
                continue
            by_accessor.add(part.view)
            if index not in positions and _store(document, part.view) == store:
                ranges.update(_columns(document, part))
    pictures = {image.get("bufferView") for image in document.json.get("images", [])}
    for index, view in enumerate(document.views):
        whole = index in pictures or index not in by_accessor
        if whole and _store(document, index) == store:
            ranges.add((view.start, view.start + view.length, None))
    yield from ranges


def _sparse_parts(accessor: Accessor) -> tuple[Accessor, ...]:
    return (accessor.sparse.indices, accessor.sparse.values) if accessor.sparse else ()


def _columns(document: GlbDocument, accessor: Accessor) -> Iterator[tuple[int, int, int | None]]:
    """One range for each word of an element where elements are apart, else one for all."""
    _, start, stride, count = _place(document, accessor)
    end = start + stride * (count - 1) + accessor.element_bytes
    if stride == accessor.element_bytes or stride % _FLOAT_BYTES:
        yield start, end, None
        return
    first = start - start % _FLOAT_BYTES
    for word in range(first, start + accessor.element_bytes, _FLOAT_BYTES):
        yield word, end, stride // _FLOAT_BYTES


def add_to(document: GlbDocument, region: Region, *, factor: float, offset: Floats) -> None:
    """Multiply a region's positions and add to them, and declare their new range.

    The arithmetic is float64 and rounded to the stored float32 once.

    Raises:
        OverflowError: A coordinate left the range of float32; nothing was changed.
    """
    accessor = document.accessors[region.accessors[0]]
    view = accessor.view or 0
    stored = _coordinates(document.view_bytes(view), accessor, region)
    # Rounding keeps the order, so that the corners move to the corners.
    with np.errstate(over="ignore", invalid="ignore"):
        corners = (np.stack(extent(stored)) * factor + offset).astype(np.float32)
    if not np.isfinite(corners).all():
        raise OverflowError
    places = _coordinates(document.edit_view(view), accessor, region)
    steps = np.tile(offset, (min(_ROWS, region.count), 1))
    for start in range(0, region.count, _ROWS):
        rows = places[start : start + _ROWS]
        moved = rows.astype(np.float64)
        moved *= factor
        moved += steps[: len(moved)]
        rows[:] = moved
    accessors = document.edit_json()["accessors"]
    for index in region.accessors:
        accessors[index]["min"] = corners[0].tolist()
        accessors[index]["max"] = corners[1].tolist()


def _coordinates(buffer: memoryview, accessor: Accessor, region: Region) -> NDArray[np.float32]:
    """A region's positions, shape (count, 3), as a view into its first accessor's view."""
    return np.ndarray(
        (region.count, 3),
        "<f4",
        buffer=buffer,
        offset=accessor.offset,
        strides=(region.stride, _FLOAT_BYTES),
    )


def move_roots(
    document: GlbDocument,
    *,
    factor: float,
    offset: tuple[float, float, float],
    quarter_turns: int = 0,
) -> None:
    """Turn and scale everything about the origin, then shift it, by one new node above the roots.

    The node is appended, so no index moves. All scenes follow; roots that belong to the same
    scenes share a node. A node that this function made before is changed instead of nested. A file
    without scenes gets one, of all that has no parent: that is what was measured.

    Args:
        document: Changed in place.
        factor: What lengths are multiplied by.
        offset: Metres, after turning and scaling.
        quarter_turns: Right angles about +Y, counter-clockwise seen from above.

    Raises:
        OverflowError: A number left the range of float64.
    """
    json = document.edit_json()
    nodes = json["nodes"]
    if not json.get("scenes"):
        json.update(scenes=[{"nodes": _parentless(nodes)}], scene=0)
    scenes = json["scenes"]
    members: dict[int, tuple[int, ...]] = {}
    for number, scene in enumerate(scenes):
        for root in scene.get("nodes", []):
            members[root] = (*members.get(root, ()), number)
    above: dict[int, int] = {}
    wrappers: dict[tuple[int, ...], int] = {}
    for root, group in members.items():
        if is_ours(nodes[root], json):
            _apply(nodes[root], factor=factor, offset=offset, quarter_turns=quarter_turns)
            continue
        if group not in wrappers:
            wrappers[group] = len(nodes)
            nodes.append({"name": ROOT_NAME, "children": []})
            _apply(nodes[-1], factor=factor, offset=offset, quarter_turns=quarter_turns)
        above[root] = wrappers[group]
        nodes[above[root]]["children"].append(root)
    for scene in scenes:
        if "nodes" in scene:
            scene["nodes"] = list(dict.fromkeys(above.get(root, root) for root in scene["nodes"]))


def _parentless(nodes: list[JsonObject]) -> list[int]:
    children = {child for node in nodes for child in node.get("children", [])}
    return [node for node in range(len(nodes)) if node not in children]


def is_ours(node: JsonObject, json: JsonObject) -> bool:
    """Tell whether `move_roots` made a node. Ours is no joint, has no mesh and is not animated."""
    return (
        node.get("name") == ROOT_NAME
        and set(node)
        <= {
            "name",
            "children",
            "rotation",
            "scale",
            "translation",
        }
        and not _is_animated(node, json)
    )


def _is_animated(node: JsonObject, json: JsonObject) -> bool:
    targets = (
        channel.get("target", {}).get("node")
        for animation in json.get("animations", [])
        for channel in animation.get("channels", [])
    )
    return any(target is not None and json["nodes"][target] is node for target in targets)


def _apply(
    node: JsonObject, *, factor: float, offset: tuple[float, float, float], quarter_turns: int
) -> None:
    if factor != 1:
        node["scale"] = lengths(node.get("scale", (1.0, 1.0, 1.0)), factor=factor)
    stood = node.get("translation", (0.0, 0.0, 0.0))
    if quarter_turns:
        node["rotation"] = turned_quaternion(
            node.get("rotation", (0.0, 0.0, 0.0, 1.0)), quarter_turns
        )
        for _ in range(quarter_turns):
            stood = (stood[2], stood[1], -stood[0])
    moved = lengths(stood, factor=factor, offset=offset)
    if any(moved) or "translation" in node:
        node["translation"] = moved


_HALF = {1: (math.sqrt(0.5), math.sqrt(0.5)), 2: (1.0, 0.0), 3: (-math.sqrt(0.5), math.sqrt(0.5))}


def turned_quaternion(rotation: Sequence[float], quarter_turns: int) -> list[float]:
    """Return a rotation (x, y, z, w), then right angles about +Y."""
    x, y, z, w = rotation
    sine, cosine = _HALF[quarter_turns]
    return [
        cosine * x + sine * z,
        cosine * y + sine * w,
        cosine * z - sine * x,
        cosine * w - sine * y,
    ]


def lengths(
    parts: Sequence[float],
    *,
    factor: float,
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> list[float]:
    """Return three numbers multiplied and added to.

    Raises:
        OverflowError: One of them is not finite any more.
    """
    found = [factor * part + step for part, step in zip(parts, offset, strict=True)]
    if not all(map(math.isfinite, found)):
        raise OverflowError
    return found
