"""Which node draws which mesh, and where (glTF 2.0, 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.accessors import Floats, numbers
from asset_processing.errors import GlbTooLarge
from asset_processing.structure import PER_INSTANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from asset_processing._fields import JsonObject
    from asset_processing.document import GlbDocument

__all__ = [
    "Draw",
    "default_scene",
    "draws",
    "local_matrix",
    "matrices_of",
    "scene_roots",
    "world_matrices",
]


_STILL = {"translation": (0, 0, 0), "rotation": (0, 0, 0, 1), "scale": (1, 1, 1)}


@dataclass(frozen=True, slots=True)
class Draw:
    """A node of the default scene that draws a mesh.

    Attributes:
        node: Index of the node.
        mesh: Index of its mesh.
        skin: Index of its skin; the node's own matrix does not count then (glTF 2.0, 3.7.3.3).
        matrices: From the mesh to the world, shape (instances, 4, 4).
    """

    node: int
    mesh: int
    skin: int | None
    matrices: Floats


def default_scene(document: GlbDocument) -> int | None:
    """Return the scene that is shown: the declared one, else the first; None without scenes."""
    if not document.json.get("scenes"):
        return None
    return int(document.json.get("scene", 0))


def scene_roots(document: GlbDocument) -> list[int]:
    """Return the roots of the default scene; without scenes, every node that has no parent."""
    scene = default_scene(document)
    if scene is not None:
        return list(document.json["scenes"][scene].get("nodes", []))
    nodes = document.json.get("nodes", [])
    children = {child for node in nodes for child in node.get("children", [])}
    return [node for node in range(len(nodes)) if node not in children]


def local_matrix(node: JsonObject) -> Floats:
    """Return a node's own transform, shape (4, 4)."""
    found: Floats = local_matrices([node])[0]
    return found


def local_matrices(nodes: Sequence[JsonObject]) -> Floats:
    """Return the transform of each node itself, shape (nodes, 4, 4)."""
    found = matrices_of(
        *(
            np.array([node.get(name, still) for node in nodes], np.float64).reshape(-1, len(still))
            for name, still in _STILL.items()
        )
    )
    for number, node in enumerate(nodes):
        if "matrix" in node:
            found[number] = np.array(node["matrix"], np.float64).reshape((4, 4), order="F")
    return found


def matrices_of(translation: Floats, rotation: Floats, scale: Floats) -> Floats:
    """Return T * R * S for each row, shape (rows, 4, 4). Quaternions (x, y, z, w) need no norm."""
    x, y, z, w = (rotation / np.linalg.norm(rotation, axis=1, keepdims=True)).T
    turns = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    found = np.zeros((len(translation), 4, 4))
    for row, values in enumerate(turns):
        for column, value in enumerate(values):
            found[:, row, column] = value
    found[:, :3, :3] *= scale[:, None, :]
    found[:, :3, 3] = translation
    found[:, 3, 3] = 1
    return found


def world_matrices(document: GlbDocument) -> Mapping[int, Floats]:
    """Return the matrix to the world of every node, whichever scene it is in."""
    nodes = document.json.get("nodes", [])
    local = local_matrices(nodes)
    children = {child for node in nodes for child in node.get("children", [])}
    found: dict[int, Floats] = {}
    waiting = [(node, np.eye(4)) for node in range(len(nodes)) if node not in children]
    with np.errstate(over="ignore", invalid="ignore"):  # `bounds` refuses what is not finite.
        while waiting:
            index, parent = waiting.pop()
            found[index] = parent @ local[index]
            waiting += [(child, found[index]) for child in nodes[index].get("children", [])]
    return found


def draws(document: GlbDocument) -> Iterator[Draw]:
    """Yield every node of the default scene that draws a mesh, in the order of the tree.

    Raises:
        GlbTooLarge: There are more instances than the limits allow.
    """
    world = world_matrices(document)
    nodes = document.json.get("nodes", [])
    waiting, instances = scene_roots(document)[::-1], 0
    while waiting:
        index = waiting.pop()
        node = nodes[index]
        waiting += node.get("children", [])[::-1]
        if "mesh" in node:
            instances += _instances(document, node)
            if instances > document.limits.max_instances:
                raise GlbTooLarge(
                    "The nodes draw the meshes too often: there are over "
                    f"{document.limits.max_instances} instances.",
                    pointer=f"/nodes/{index}",
                    limit="max_instances",
                )
            yield Draw(index, node["mesh"], node.get("skin"), _placed(document, node, world[index]))


def _instances(document: GlbDocument, node: JsonObject) -> int:
    """How many instances a node declares; 1 where it declares none."""
    attributes = node.get("extensions", {}).get(PER_INSTANCE, {}).get("attributes", {})
    return max((document.accessors[index].count for index in attributes.values()), default=1)


def _placed(document: GlbDocument, node: JsonObject, world: Floats) -> Floats:
    """The world matrix of each instance (EXT_mesh_gpu_instancing), or of the one there is."""
    extension = node.get("extensions", {}).get(PER_INSTANCE, {})
    attributes = extension.get("attributes", {})
    found = {
        name: numbers(document, attributes[name])
        for name in ("TRANSLATION", "ROTATION", "SCALE")
        if name in attributes
    }
    if not found:
        return world[None]
    rows = len(next(iter(found.values())))
    return world @ matrices_of(
        found.get("TRANSLATION", np.zeros((rows, 3))),
        _turnable(found.get("ROTATION", np.tile([0.0, 0.0, 0.0, 1.0], (rows, 1)))),
        found.get("SCALE", np.ones((rows, 3))),
    )


def _turnable(rotation: Floats) -> Floats:
    """Zero quaternions turn nothing."""
    rotation[~rotation.any(axis=1)] = (0.0, 0.0, 0.0, 1.0)
    return rotation
