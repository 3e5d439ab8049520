"""Compute tangents where a normal map needs them and there are none.

Written after MikkTSpace (Mikkelsen, Simulation of Wrinkled Surfaces Revisited, 2008), which glTF
names for this (glTF 2.0, 3.7.2.1): for each corner the derivative of the position along U,
projected on the plane of the normal and weighted by the angle there, summed over the corners that
agree in position, normal and texture coordinate and in how their triangle is wound in the texture.
One step is left out: corners so alike that share no edge are one group here and several there,
which matters only where two fans of triangles touch in a single point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing._arrays import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER
from asset_processing._rows import equal_rows
from asset_processing.accessors import numbers
from asset_processing.operations._vertices import take_vertices
from asset_processing.operations.textures import texture_slots
from asset_processing.primitives import (
    Primitive,
    primitives,
    stored_positions,
    stored_triangles,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asset_processing._fields import JsonObject
    from asset_processing.accessors import Floats, Integers
    from asset_processing.document import GlbDocument

__all__ = ["add_tangents", "tangents_of"]

_TRIANGLES = 4
_TRANSFORM = "KHR_texture_transform"
_TINY = 1e-20


def add_tangents(document: GlbDocument) -> int:
    """Give tangents to triangle primitives whose material has a normal map.

    They need normals and the normal map's texture coordinates. A vertex between triangles that are
    mirrored in the texture is split in two. Tangents that are there stay.

    Args:
        document: Changed in place.

    Returns:
        How many primitives got tangents. Those with compressed vertices get none.
    """
    total = 0
    for mesh in range(len(document.json.get("meshes", []))):
        for primitive in primitives(document, mesh):
            uvs = _texture_coordinates(document, primitive)
            if uvs is not None:
                _add(document, primitive, uvs)
                total += 1
    return total


def _texture_coordinates(document: GlbDocument, primitive: Primitive) -> int | None:
    """The accessor to compute tangents with; None where none are missing."""
    attributes = primitive.values["attributes"]
    material = primitive.values.get("material")
    wanted = (
        primitive.mode >= _TRIANGLES
        and not primitive.compressed
        and "NORMAL" in attributes
        and "TANGENT" not in attributes
        and not primitive.values.get("extensions", {}).keys() - {"KHR_materials_variants"}
    )
    if not wanted or material is None:
        return None
    for slot, texture in texture_slots(document.json["materials"][material]):
        if slot.lower().endswith("normaltexture"):
            found: int | None = attributes.get(f"TEXCOORD_{_set_of(texture)}")
            return found
    return None


def _set_of(texture: JsonObject) -> int:
    own = int(texture.get("texCoord", 0))
    return int(texture.get("extensions", {}).get(_TRANSFORM, {}).get("texCoord", own))


def _add(document: GlbDocument, primitive: Primitive, uvs: int) -> None:
    attributes = primitive.values["attributes"]
    triangles = stored_triangles(document, primitive)
    tangents, sources, faces = tangents_of(
        stored_positions(document, primitive),
        numbers(document, attributes["NORMAL"]),
        numbers(document, uvs)[:, :2],
        triangles,
    )
    layers = [attributes, *primitive.values.get("targets", [])]
    count = document.accessors[primitive.position].count
    if len(sources) == count:
        document.edit_json()
        attributes["TANGENT"] = document.add_accessor(tangents, target=ARRAY_BUFFER)
        return
    moved = take_vertices(document, {i for layer in layers for i in layer.values()}, sources)
    renamed = [{name: moved[index] for name, index in layer.items()} for layer in layers]
    renamed[0]["TANGENT"] = document.add_accessor(tangents, target=ARRAY_BUFFER)
    document.replace_primitive(
        primitive.values,
        attributes=renamed[0],
        targets=renamed[1:],
        indices=document.add_accessor(
            faces.reshape(-1).astype(np.uint32), target=ELEMENT_ARRAY_BUFFER
        ),
    )
    primitive.values["mode"] = _TRIANGLES


def tangents_of(
    points: Floats, normals: Floats, uvs: Floats, triangles: Integers
) -> tuple[NDArray[np.float32], Integers, Integers]:
    """Compute tangents.

    Args:
        points: Shape (vertices, 3).
        normals: Unit vectors, shape (vertices, 3).
        uvs: Texture coordinates, V downwards, shape (vertices, 2).
        triangles: Shape (triangles, 3).

    Returns:
        Tangents as glTF has them, float32, shape (new vertices, 4); for each new vertex the one it
        is a copy of, where the first ones are the old ones; and the triangles of new vertices.
    """
    corners, places = points[triangles], uvs[triangles]
    first, second = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    upright = area > 0
    along = second[:, 1:] * (corners[:, 1] - corners[:, 0]) - first[:, 1:] * (
        corners[:, 2] - corners[:, 0]
    )
    along = _unit(along * np.where(upright, 1.0, -1.0)[:, None])
    along[area == 0] = 0

    sources, faces = _split(triangles, upright, area == 0, len(points))
    alike = equal_rows(
        [array.astype(np.float32) + np.float32(0) for array in (points, normals, uvs)]
    )
    mirrored = np.zeros(len(sources), dtype=bool)
    mirrored[faces[(~upright) & (area != 0)].ravel()] = True
    groups = alike[sources] * 2 + mirrored

    at = normals[triangles]
    pulled = _unit(_flat(np.broadcast_to(along[:, None, :], at.shape), at))
    after = _unit(_flat(np.roll(corners, -1, axis=1) - corners, at))
    before = _unit(_flat(np.roll(corners, 1, axis=1) - corners, at))
    angles = np.arccos(np.clip((after * before).sum(axis=2), -1, 1))
    weighted = pulled * angles[:, :, None]
    keys = groups[faces].ravel()
    sums = np.zeros((2 * len(points), 3))
    for axis in range(3):
        sums[:, axis] = np.bincount(keys, weighted[:, :, axis].ravel(), minlength=len(sums))
    sums = sums[groups]
    standing = normals[sources]
    # A side of the plane where there is nothing to go by.
    lost = np.linalg.norm(sums, axis=1) <= _TINY
    sums[lost] = _flat(np.eye(3)[np.abs(standing[lost]).argmin(axis=1)], standing[lost])
    found = np.empty((len(sources), 4), np.float32)
    found[:, :3] = _unit(sums)
    # V runs downwards in glTF and upwards in MikkTSpace, which turns the bitangent around.
    found[:, 3] = np.where(mirrored, 1.0, -1.0)
    return found, sources, faces


def _split(
    triangles: Integers, upright: NDArray[np.bool_], flat: NDArray[np.bool_], count: int
) -> tuple[Integers, Integers]:
    """Copy vertices that triangles of both windings use; the copies are the mirrored ones'."""
    straight, mirrored = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    straight[triangles[upright].ravel()] = True
    mirrored[triangles[~upright & ~flat].ravel()] = True
    both = np.flatnonzero(straight & mirrored)
    sources = np.concatenate([np.arange(count), both])
    copies = np.arange(count)
    copies[both] = count + np.arange(len(both))
    turned = (~upright & ~flat)[:, None]
    return sources, np.where(turned, copies[triangles], triangles)


def _flat(vectors: Floats, normals: Floats) -> Floats:
    """Project on the planes of the normals."""
    found: Floats = vectors - normals * (vectors * normals).sum(axis=-1, keepdims=True)
    return found


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    found: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > _TINY)
    return found
