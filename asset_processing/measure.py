"""What a document holds, as figures for the report."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.errors import GlbTooLarge
from asset_processing.geometry import drawn
from asset_processing.operations.textures import texture_slots
from asset_processing.primitives import (
    Primitive,
    primitives,
    reading_cost,
    stored_positions,
    triangle_count,
)
from asset_processing.report import Counts, FileFacts, MaterialFacts, MemoryFacts, OutputFacts
from asset_processing.surface import Unreadable, read_surface
from asset_processing.survey import Survey

if TYPE_CHECKING:
    from asset_processing.document import Bytes, GlbDocument
    from asset_processing.outputs import OutputFile
    from asset_processing.surface import Part

__all__ = [
    "MAX_TRIANGLES",
    "all_primitives",
    "count",
    "describe_file",
    "describe_materials",
    "describe_memory",
    "describe_output",
    "digest",
    "surface_of",
]

MAX_TRIANGLES = 2_000_000
"""Above this the surface is not measured."""


def digest(data: Bytes) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def describe_file(document: GlbDocument, data: Bytes, *, sha256: str) -> FileFacts:
    """Return the facts of the GLB ``data``, of which the digest is known.

    Args:
        document: What was read from it, or anything made of that: an edit keeps the generator.
        data: The file.
        sha256: Its `digest`.
    """
    generator = document.json["asset"].get("generator")
    return FileFacts(
        sha256=sha256,
        size_bytes=memoryview(data).nbytes,
        generator=generator if isinstance(generator, str) else None,
    )


def describe_materials(document: GlbDocument) -> tuple[MaterialFacts, ...]:
    """Return the materials in the order of the file."""
    return tuple(
        MaterialFacts(
            name=material.get("name"),
            alpha_mode=str(material.get("alphaMode", "OPAQUE")),
            double_sided=bool(material.get("doubleSided", False)),
            texture_slots=tuple(slot for slot, _ in texture_slots(material)),
        )
        for material in document.json.get("materials", [])
    )


def describe_output(output: OutputFile) -> OutputFacts:
    """Return the facts of a file beside the GLB."""
    return OutputFacts(
        name=output.name,
        kind=output.kind,
        media_type=output.media_type,
        size_bytes=memoryview(output.data).nbytes,
        sha256=digest(output.data),
        loses=output.loses,
    )


def surface_of(document: GlbDocument, *, max_triangles: int = MAX_TRIANGLES) -> list[Part] | None:
    """Return the default scene's triangles; None where there are none, too many or compressed."""
    try:
        return read_surface(document, max_triangles=max_triangles)
    except Unreadable:
        return None


def describe_memory(document: GlbDocument) -> MemoryFacts:
    """Estimate what a GPU holds of a document: each accessor of a mesh and each image once."""
    read: set[int] = set()
    for mesh in document.json.get("meshes", []):
        for primitive in mesh.get("primitives", []):
            read.update(primitive.get("attributes", {}).values())
            read.update(primitive[name] for name in ("indices",) if name in primitive)
            for target in primitive.get("targets", []):
                read.update(target.values())
    accessors = (document.accessors[index] for index in read)
    pixels = sum(image.header.pixels for image in document.images)
    return MemoryFacts(
        geometry_bytes=sum(accessor.count * accessor.element_bytes for accessor in accessors),
        textures_bytes=pixels * 4 * 4 // 3,
        textures_compressed_bytes=pixels * 4 // 3,
    )


def all_primitives(document: GlbDocument) -> list[Primitive]:
    """Return the primitives of all meshes, drawn or not, in the order of the file.

    Raises:
        GlbTooLarge: Together they read more than the limits allow.
    """
    meshes = range(len(document.json.get("meshes", [])))
    found = [primitive for mesh in meshes for primitive in primitives(document, mesh)]
    cost = sum(reading_cost(document, primitive) for primitive in found)
    if cost > document.limits.max_drawn_vertices:
        raise GlbTooLarge(
            f"The primitives read {cost} vertices and indices; "
            f"{document.limits.max_drawn_vertices} are allowed.",
            limit="max_drawn_vertices",
        )
    return found


def count(document: GlbDocument) -> Counts:
    """Count what is in a document, as stored.

    Raises:
        InvalidGlb: A position is not finite.
        GlbTooLarge: There is more than the limits allow.
    """
    coarser = _meshes_of_lods(document)
    found = [part for part in all_primitives(document) if part.mesh not in coarser]
    entries = {
        name: len(document.json.get(name, []))
        for name in ("meshes", "nodes", "materials", "textures", "images", "skins", "animations")
    }
    return Counts(
        triangles=sum(triangle_count(document, primitive) for primitive in found),
        triangles_drawn=sum(
            triangle_count(document, primitive) * len(draw.matrices)
            for draw, primitive in drawn(document)
        ),
        gpu_vertices=sum(document.accessors[primitive.position].count for primitive in found),
        unique_positions=_unique_positions(document, found),
        primitives=sum(len(mesh.get("primitives", [])) for mesh in document.json.get("meshes", [])),
        morph_targets=_morph_targets(document),
        **entries,
    )


def _meshes_of_lods(document: GlbDocument) -> set[int]:
    """Meshes that only levels of detail draw (MSFT_lod)."""
    nodes = document.json.get("nodes", [])
    lods = {
        index
        for node in nodes
        for index in node.get("extensions", {}).get("MSFT_lod", {}).get("ids", [])
    }
    drawn_meshes = {node.get("mesh") for index, node in enumerate(nodes) if index not in lods}
    return {nodes[index]["mesh"] for index in lods if "mesh" in nodes[index]} - drawn_meshes


def _unique_positions(document: GlbDocument, found: list[Primitive]) -> int | None:
    if any(primitive.compressed for primitive in found):
        return None
    accessors: dict[int, set[int]] = {}
    by_accessor = {primitive.position: primitive for primitive in found}
    for primitive in found:
        accessors.setdefault(primitive.mesh, set()).add(primitive.position)
    known: dict[frozenset[int], int] = {}
    for group in map(frozenset, accessors.values()):
        if group not in known:
            points = [stored_positions(document, by_accessor[index]) for index in sorted(group)]
            known[group] = Survey(np.concatenate(points)).weld()
    return sum(known[frozenset(group)] for group in accessors.values())


def _morph_targets(document: GlbDocument) -> int:
    """Every primitive of a mesh has the same number of targets (glTF 2.0, 3.7.2.2)."""
    return sum(
        max((len(p.get("targets", [])) for p in mesh.get("primitives", [])), default=0)
        for mesh in document.json.get("meshes", [])
    )
