"""Coarser levels of detail, each made from the one before."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asset_processing.document import GlbDocument
from asset_processing.operations.simplify import Reduction
from asset_processing.outputs import OutputFile, OutputKind
from asset_processing.report import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asset_processing._fields import JsonObject
    from asset_processing.options import Lod

__all__ = ["MSFT_LOD", "Level", "add_lod_nodes", "check_lods", "make_lods"]

MSFT_LOD = "MSFT_lod"
_MEDIA_TYPE = "model/gltf-binary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A level of detail that was made.

    Attributes:
        number: 1 for the first below the full model.
        asked: Triangles that it was to have at most.
        triangles: Triangles that it has.
    """

    number: int
    asked: int
    triangles: int


def make_lods(
    document: GlbDocument, glb: bytes, lods: Sequence[Lod]
) -> tuple[list[Level], list[OutputFile]]:
    """Make each level as a GLB of its own: ``lod_1.glb``, ``lod_2.glb``...

    Nodes, materials, textures, skins and animations are those of the full model; every level can
    stand in for it. The vertices are read once, and each level is simplified from the one before.

    Args:
        document: The full model, as read from ``glb``.
        glb: Its bytes.
        lods: The levels, finest first.

    Raises:
        UnsupportedGlb: Vertices are compressed.
        InvalidGlb: A position is not finite, or an index names no vertex.
    """
    reduction = Reduction(document)
    levels, files = [], []
    for number, lod in enumerate(lods, 1):
        level = _reduced(reduction, lod, number)
        copied = GlbDocument.parse(glb, document.limits)
        reduction.write(copied)
        levels.append(level)
        files.append(
            OutputFile(
                name=f"lod_{number}.glb",
                kind=OutputKind.LOD,
                media_type=_MEDIA_TYPE,
                data=copied.to_bytes(),
            )
        )
    return levels, files


def add_lod_nodes(document: GlbDocument, lods: Sequence[Lod]) -> list[Level]:
    """Put the levels into the document, as nodes that the extension MSFT_lod names.

    Every node with a mesh of triangles gets one node for each level, named like it with ``_LOD1``,
    ``_LOD2``... behind, of which the scene shows none; it gets ``_LOD0`` itself. Textures and
    materials are shared. A program that does not know MSFT_lod draws the full model.

    Args:
        document: Changed in place.
        lods: The levels, finest first.

    Raises:
        UnsupportedGlb: Vertices are compressed.
        InvalidGlb: A position is not finite, or an index names no vertex.
    """
    reduction = Reduction(document)
    json = document.edit_json()
    drawing = [
        index for index, node in enumerate(json.get("nodes", [])) if _can_have_lods(node, reduction)
    ]
    levels = []
    for number, lod in enumerate(lods, 1):
        levels.append(_reduced(reduction, lod, number))
        meshes = {
            mesh: _add_mesh(document, reduction, mesh, number)
            for mesh in dict.fromkeys(json["nodes"][index]["mesh"] for index in drawing)
        }
        for index in drawing:
            _add_node(document, index, meshes[json["nodes"][index]["mesh"]], number)
    for index in drawing:
        node = json["nodes"][index]
        node["name"] = f"{_base_name(node, index)}_LOD0"
    if drawing and lods:
        document.use_extension(MSFT_LOD)
    return levels


def check_lods(levels: Sequence[Level]) -> list[Check]:
    """Return a line of the report for each level."""
    return [
        Check(
            name=f"lod_{level.number}",
            asked=float(level.asked),
            measured=float(level.triangles),
            unit="triangles",
            passed=level.triangles <= level.asked,
            detail=f"{level.triangles:,} triangles, at most {level.asked:,} asked",
        )
        for level in levels
    ]


def _reduced(reduction: Reduction, lod: Lod, number: int) -> Level:
    asked = lod.triangles
    if asked is None:
        asked = max(round(reduction.triangles_before * (lod.ratio or 0)), 1)
    reduction.reduce(max_triangles=asked)
    return Level(number=number, asked=asked, triangles=reduction.triangle_count)


def _can_have_lods(node: JsonObject, reduction: Reduction) -> bool:
    return node.get("mesh") in reduction.meshes and MSFT_LOD not in node.get("extensions", {})


def _base_name(node: JsonObject, index: int) -> str:
    return str(node.get("name") or f"node_{index}")


def _add_mesh(document: GlbDocument, reduction: Reduction, mesh: int, number: int) -> int:
    """Append a copy of a mesh with what is left of it."""
    full = document.json["meshes"][mesh]
    entry = copy.deepcopy(full)
    if full.get("name"):
        entry["name"] = f"{full['name']}_LOD{number}"
    added = document.add("meshes", entry)
    reduction.write_mesh(document, mesh, into=added)
    return added


def _add_node(document: GlbDocument, index: int, mesh: int, number: int) -> None:
    """Append a node that draws a level where another one draws the full mesh."""
    json = document.edit_json()
    full = json["nodes"][index]
    entry: JsonObject = {"name": f"{_base_name(full, index)}_LOD{number}", "mesh": mesh}
    for key in ("translation", "rotation", "scale", "matrix", "skin", "weights"):
        if key in full:
            entry[key] = copy.deepcopy(full[key])
    added = document.add("nodes", entry)
    lod = full.setdefault("extensions", {}).setdefault(MSFT_LOD, {"ids": []})
    lod["ids"].append(added)
