"""Put transforms into the vertices, so that editors show nodes without scale and rotation.

Two things are baked. First the node that scale, orientation and pivot left above the roots: a turn
by right angles R, a uniform scale s and a shift t. With L = sR every local matrix M becomes
L M L^-1, every vertex v becomes L v, every inverse bind matrix B becomes L B L^-1 and animated
translations, rotations and scales follow, so that each product along the tree becomes
L (M1 M2 ... v): exactly what the node did, for skins, animations and morph targets too. The
shift goes to the roots. Then the file's own nodes that do not move: their meshes get the matrix to
the world, and what hangs below them and cannot be baked keeps its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from asset_processing._arrays import ELEMENT_ARRAY_BUFFER
from asset_processing._references import extensions_in
from asset_processing.accessors import numbers
from asset_processing.layout import COMPRESSED_VIEW
from asset_processing.operations._placement import WITHOUT_LENGTHS, is_ours
from asset_processing.operations._vertices import Rewriter
from asset_processing.operations.decode import is_plain
from asset_processing.primitives import Primitive, primitives, stored_triangles
from asset_processing.scene import local_matrix, matrices_of, world_matrices
from asset_processing.structure import PER_INSTANCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from asset_processing._fields import JsonObject
    from asset_processing.accessors import Floats
    from asset_processing.document import GlbDocument

__all__ = ["bake"]

_LIGHTS = "KHR_lights_punctual"
_VOLUME = "KHR_materials_volume"
_BAKEABLE = WITHOUT_LENGTHS | {
    _LIGHTS,
    _VOLUME,
    PER_INSTANCE,
    "FB_ngon_encoding",
    "KHR_materials_dispersion",
    "KHR_materials_diffuse_transmission",
}
_TRIANGLES, _STRIP = 4, 5
_NEGLIGIBLE = 1e-9
_TRANSFORM = ("matrix", "translation", "rotation", "scale")


def bake(document: GlbDocument) -> str | None:
    """Put every transform that can be into the vertices.

    Positions, morph targets, normals (by the inverse transpose), tangents and, where a matrix
    mirrors, the order of triangles follow. What a light or a camera needs of its node's rotation
    moves to a node of its own.

    Args:
        document: Changed in place. Its vertices are plain (`decode`).

    Returns:
        Why something could not be baked; None where nothing stands in the way.

    Raises:
        InvalidOption: The result is too large for the numbers of the file.
    """
    if not is_plain(document):
        return "its vertices are compressed, quantized or sparse"
    unknown = sorted(extensions_in(document.json) - _BAKEABLE - {*COMPRESSED_VIEW})
    if unknown:
        return f"the file uses {unknown[0]}"
    reason = _dissolve_roots(document)
    _bake_static(document)
    return reason


# ---- the node above the roots


class _Similarity(NamedTuple):
    """A turn by right angles, shape (3, 3), a uniform scale, and a shift."""

    turn: Floats
    factor: float
    shift: Floats

    @property
    def linear(self) -> Floats:
        return self.turn * self.factor


def _dissolve_roots(document: GlbDocument) -> str | None:
    json = document.json
    nodes = json.get("nodes", [])
    roots = [index for index, node in enumerate(nodes) if is_ours(node, json)]
    if not roots:
        return None
    placed = [_similarity(nodes[index]) for index in roots]
    first = placed[0]
    if first is None or any(other is None or not _same(first, other) for other in placed):
        return "the nodes above its roots differ"
    below = {child for index in roots for child in nodes[index].get("children", [])}
    if any(not set(scene.get("nodes", [])) <= set(roots) for scene in json.get("scenes", [])):
        return "not all of its roots are below the added node"
    if _has_ambiguous_samplers(json):
        return "one animation sampler moves several things"
    document.edit_json()
    _conjugate(document, first)
    for child in sorted(below):
        _shift(document, child, first.shift)
    for scene in json["scenes"]:
        scene["nodes"] = list(
            dict.fromkeys(
                child for index in scene.get("nodes", []) for child in nodes[index]["children"]
            )
        )
    for index in roots:
        nodes[index] = {}
        document.drop("nodes", index)
    return None


def _same(first: _Similarity, second: _Similarity) -> bool:
    return (
        first.factor == second.factor
        and np.array_equal(first.turn, second.turn)
        and np.array_equal(first.shift, second.shift)
    )


def _similarity(node: JsonObject) -> _Similarity | None:
    matrix = local_matrix(node)
    factor = float(node.get("scale", (1.0,))[0])
    turn = np.round(matrix[:3, :3] / factor)
    if np.abs(turn * factor - matrix[:3, :3]).max() > _NEGLIGIBLE * abs(factor):
        return None
    return _Similarity(turn, factor, matrix[:3, 3])


def _has_ambiguous_samplers(json: JsonObject) -> bool:
    for animation in json.get("animations", []):
        paths: dict[int, str] = {}
        for channel in animation.get("channels", []):
            path = channel.get("target", {}).get("path")
            if paths.setdefault(channel["sampler"], path) != path:
                return True
    return False


def _conjugate(document: GlbDocument, by: _Similarity) -> None:
    json = document.json
    vertices = Rewriter(document, uniform=True)
    full = np.eye(4)
    full[:3, :3] = by.linear
    for mesh in range(len(json.get("meshes", []))):
        _transform_mesh(document, vertices, mesh, full)
    inverse = _inverse(full)
    for skin in json.get("skins", []):
        if "inverseBindMatrices" in skin:
            vertices.rewrite(
                skin,
                "inverseBindMatrices",
                role="inverseBindMatrices",
                change=lambda rows: _conjugated(rows, full, inverse),
                target=None,
            )
    _conjugate_animations(json, vertices, by)
    for index in range(len(json["nodes"])):
        _conjugate_node(document, vertices, index, by)
    if by.factor != 1:
        for material in json.get("materials", []):
            volume = material.get("extensions", {}).get(_VOLUME, {})
            if "thicknessFactor" in volume:  # In the mesh's own units; the attenuation is not.
                volume["thicknessFactor"] *= by.factor


def _inverse(matrix: Floats) -> Floats:
    return np.linalg.inv(matrix).astype(np.float64)


def _conjugated(rows: Floats, full: Floats, inverse: Floats) -> Floats:
    """L M L^-1 for matrices by columns, shape (count, 16)."""
    matrices = rows.reshape(-1, 4, 4).transpose(0, 2, 1)
    found: Floats = (full @ matrices @ inverse).transpose(0, 2, 1).reshape(-1, 16)
    found[:, [3, 7, 11]], found[:, 15] = 0.0, 1.0  # Exactly affine, as readers insist.
    return found


def _conjugate_animations(json: JsonObject, vertices: Rewriter, by: _Similarity) -> None:
    turned = not np.array_equal(by.turn, np.eye(3))
    changes = {
        "translation": lambda rows: rows @ by.linear.T,
        "rotation": lambda rows: np.concatenate([rows[:, :3] @ by.turn.T, rows[:, 3:]], axis=1),
        "scale": lambda rows: rows @ np.abs(by.turn).T,
    }
    for animation in json.get("animations", []):
        paths = {
            channel["sampler"]: channel.get("target", {}).get("path")
            for channel in animation.get("channels", [])
        }
        for number, path in paths.items():
            if path == "translation" or (turned and path in changes):
                vertices.rewrite(
                    animation["samplers"][number],
                    "output",
                    role="output",
                    change=changes[path],
                    label=path,
                    target=None,
                )


def _conjugate_node(document: GlbDocument, vertices: Rewriter, index: int, by: _Similarity) -> None:
    node = document.json["nodes"][index]
    if is_ours(node, document.json):
        return
    if "matrix" in node:
        full = np.eye(4)
        full[:3, :3] = by.linear
        rows = np.array([node["matrix"]], dtype=np.float64)
        node["matrix"] = _conjugated(rows, full, _inverse(full))[0].tolist()
    if "translation" in node:
        node["translation"] = (by.linear @ node["translation"]).tolist()
    if "rotation" in node:
        x, y, z, w = node["rotation"]
        node["rotation"] = [*(by.turn @ (x, y, z)).tolist(), w]
    if "scale" in node:
        node["scale"] = (np.abs(by.turn) @ node["scale"]).tolist()
    _conjugate_instances(vertices, node, by)
    if not np.array_equal(by.turn, np.eye(3)):
        _keep_looking(document, node, by)


def _conjugate_instances(vertices: Rewriter, node: JsonObject, by: _Similarity) -> None:
    attributes = node.get("extensions", {}).get(PER_INSTANCE, {}).get("attributes", {})
    changes = {
        "TRANSLATION": lambda rows: rows @ by.linear.T,
        "ROTATION": lambda rows: np.concatenate([rows[:, :3] @ by.turn.T, rows[:, 3:]], axis=1),
        "SCALE": lambda rows: rows @ np.abs(by.turn).T,
    }
    for name, change in changes.items():
        if name in attributes:
            vertices.rewrite(attributes, name, role=f"instance {name}", change=change, target=None)


def _keep_looking(document: GlbDocument, node: JsonObject, by: _Similarity) -> None:
    """A camera and a light look along their own -Z, which the turn has to carry: L M L^-1 L."""
    light = node.get("extensions", {}).get(_LIGHTS)
    if "camera" not in node and light is None:
        return
    below: JsonObject = {"rotation": _quaternion(by.turn)}
    if "name" in node:
        below["name"] = f"{node['name']}_Direction"
    if "camera" in node:
        below["camera"] = node.pop("camera")
    if light is not None:
        below["extensions"] = {_LIGHTS: node["extensions"].pop(_LIGHTS)}
        if not node["extensions"]:
            del node["extensions"]
    node.setdefault("children", []).append(document.add("nodes", below))


def _quaternion(turn: Floats) -> list[float]:
    """The rotation about +Y that a matrix is."""
    angle = np.arctan2(turn[0, 2], turn[0, 0])
    return [0.0, float(np.sin(angle / 2)), 0.0, float(np.cos(angle / 2))]


def _shift(document: GlbDocument, index: int, shift: Floats) -> None:
    """Move a root, at rest and in every animation."""
    if not shift.any():
        return
    json = document.json
    node = json["nodes"][index]
    if "matrix" in node:
        node["matrix"][12:15] = (np.array(node["matrix"][12:15]) + shift).tolist()
    else:
        node["translation"] = (np.array(node.get("translation", (0, 0, 0))) + shift).tolist()
    for animation in json.get("animations", []):
        for channel in animation.get("channels", []):
            target = channel.get("target", {})
            if target.get("node") == index and target.get("path") == "translation":
                _shift_channel(document, animation, channel, shift)


def _shift_channel(
    document: GlbDocument, animation: JsonObject, channel: JsonObject, shift: Floats
) -> None:
    """Move a channel's key frames; other channels of its sampler, if any, keep theirs."""
    sampler = animation["samplers"][channel["sampler"]]
    shared = sum(other["sampler"] == channel["sampler"] for other in animation["channels"]) > 1
    sampler = dict(sampler) if shared else sampler
    spline = sampler.get("interpolation") == "CUBICSPLINE"

    def change(rows: Floats) -> Floats:
        moved = rows.copy()
        moved[1 if spline else 0 :: 3 if spline else 1] += shift  # A spline's tangents stay.
        return moved

    document.edit_json()
    if shared:
        channel["sampler"] = len(animation["samplers"])
        animation["samplers"].append(sampler)
    Rewriter(document, uniform=False).rewrite(
        sampler, "output", role="shift", change=change, target=None
    )


# ---- the file's own nodes


def _bake_static(document: GlbDocument) -> None:
    json = document.json
    nodes = json.get("nodes", [])
    resettable = _resettable(document)
    world = world_matrices(document)
    vertices = Rewriter(document, uniform=False)
    children = {child for node in nodes for child in node.get("children", [])}
    waiting = [(index, True) for index in range(len(nodes)) if index not in children]
    while waiting:
        index, above = waiting.pop()
        node = nodes[index]
        reset = above and index in resettable
        waiting += [(child, reset) for child in node.get("children", [])]
        if reset:
            _reset(document, vertices, index, world[index])
        elif above and index in children:
            _place(document, node, world[index])


def _reset(document: GlbDocument, vertices: Rewriter, index: int, matrix: Floats) -> None:
    node = document.json["nodes"][index]
    moving = any(name in node for name in _TRANSFORM)
    if not moving and np.array_equal(matrix, np.eye(4)):
        return
    document.edit_json()
    for name in _TRANSFORM:
        node.pop(name, None)
    if "mesh" in node:
        _transform_mesh(document, vertices, node["mesh"], matrix)


def _place(document: GlbDocument, node: JsonObject, matrix: Floats) -> None:
    """Give a node its place in the world, now that nothing above it moves it."""
    if np.array_equal(matrix, local_matrix(node)):
        return
    document.edit_json()
    for name in _TRANSFORM:
        node.pop(name, None)
    parts = _decomposed(matrix)
    if parts is None:
        node["matrix"] = matrix.T.ravel().tolist()
    else:
        node.update(parts)


def _decomposed(matrix: Floats) -> dict[str, list[float]] | None:
    """Return translation, rotation and scale; None where the matrix shears or mirrors."""
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    if not scale.all() or np.linalg.det(matrix[:3, :3]) < 0:
        return None
    turn = matrix[:3, :3] / scale
    if np.abs(turn.T @ turn - np.eye(3)).max() > 1e-6:  # noqa: PLR2004  # No rotation: sheared.
        return None
    # The eigenvector for the largest eigenvalue (Bar-Itzhack, 2000) is stable at every angle.
    (a, b, c), (d, e, f), (g, h, i) = turn
    table = np.array(
        [
            [a - e - i, b + d, c + g, h - f],
            [b + d, e - a - i, f + h, c - g],
            [c + g, f + h, i - a - e, d - b],
            [h - f, c - g, d - b, a + e + i],
        ]
    )
    rotation = np.linalg.eigh(table)[1][:, -1]
    rotation *= np.copysign(1.0, rotation[3])
    found = matrices_of(np.zeros((1, 3)), rotation[None], np.ones((1, 3)))[0, :3, :3]
    if np.abs(found - turn).max() > 1e-6:  # noqa: PLR2004
        return None
    return {
        "translation": matrix[:3, 3].tolist(),
        "rotation": rotation.tolist(),
        "scale": scale.tolist(),
    }


def _resettable(document: GlbDocument) -> set[int]:
    """Nodes whose transform nothing but their own mesh and their children's places need."""
    json = document.json
    nodes = json.get("nodes", [])
    parents = {
        child: index for index, node in enumerate(nodes) for child in node.get("children", [])
    }
    pinned = {
        channel.get("target", {}).get("node")
        for animation in json.get("animations", [])
        for channel in animation.get("channels", [])
    }
    for skin in json.get("skins", []):
        pinned.update(skin.get("joints", []))
        pinned.add(skin.get("skeleton"))
    pinned |= {parents[index] for index in pinned if index in parents}
    users: dict[int, int] = {}
    for node in nodes:
        if "mesh" in node:
            users[node["mesh"]] = users.get(node["mesh"], 0) + 1
    world = world_matrices(document)
    return {
        index
        for index, node in enumerate(nodes)
        if index not in pinned
        and not {"camera", "skin"} & set(node)
        and not {_LIGHTS, PER_INSTANCE} & set(node.get("extensions", {}))
        and ("mesh" not in node or users[node["mesh"]] == 1)
        and _can_take(document, node, world[index])
    }


def _can_take(document: GlbDocument, node: JsonObject, matrix: Floats) -> bool:
    """Tell whether a node's mesh can take its matrix."""
    if not np.isfinite(matrix).all():
        return False
    sign = np.linalg.det(matrix[:3, :3])
    if not np.isfinite(sign) or abs(sign) <= np.finfo(np.float64).tiny:
        return False
    if "mesh" not in node:
        return True
    # Positions that another mesh reads as well are written anew, so that they may be shared.
    meshes = document.json["meshes"][node["mesh"]].get("primitives", [])
    return sign > 0 or all(primitive.get("mode", _TRIANGLES) < _STRIP for primitive in meshes)


# ---- a mesh


def _transform_mesh(document: GlbDocument, vertices: Rewriter, mesh: int, matrix: Floats) -> None:
    """Apply an affine matrix to a mesh; each accessor once for each matrix."""
    found = list(primitives(document, mesh))
    for primitive in found:
        motion = _Motion(document, primitive.values["attributes"], matrix)
        # Targets first: how long a normal becomes is read from the base.
        for target in primitive.values.get("targets", []):
            for name in target:
                change = motion.of_target(name)
                if change is not None:
                    vertices.rewrite(
                        target, name, role=f"target {name}", change=change, label=motion.label(name)
                    )
        for name in primitive.values["attributes"]:
            change = motion.of_vertex(name)
            if change is not None:
                vertices.rewrite(
                    primitive.values["attributes"],
                    name,
                    role=name,
                    change=change,
                    label=matrix.tobytes(),
                    with_range=name == "POSITION",
                )
    if np.linalg.det(matrix[:3, :3]) < 0:
        for primitive in found:
            _turn_over(document, primitive)


def _turn_over(document: GlbDocument, primitive: Primitive) -> None:
    """Draw a mirrored mesh's triangles the other way around."""
    if primitive.mode != _TRIANGLES:
        return
    turned = stored_triangles(document, primitive)[:, ::-1].reshape(-1)
    if len(turned):
        document.replace_primitive(
            primitive.values,
            attributes=primitive.values["attributes"],
            indices=document.add_accessor(turned.astype(np.uint32), target=ELEMENT_ARRAY_BUFFER),
        )


_Change: TypeAlias = "Callable[[Floats], Floats]"


class _Motion:
    """What an affine matrix does to each attribute of a primitive."""

    def __init__(self, document: GlbDocument, attributes: JsonObject, matrix: Floats) -> None:
        self._document = document
        self._attributes = dict(attributes)
        self._key = matrix.tobytes()
        self._linear, self._shift = matrix[:3, :3], matrix[:3, 3]
        determinant = np.linalg.det(self._linear)
        self._sign = np.sign(determinant)
        turn = self._linear / np.cbrt(abs(determinant))
        turn = np.where(np.abs(turn - np.round(turn)) <= _NEGLIGIBLE, np.round(turn), turn)
        similar = np.abs(turn @ turn.T - np.eye(3)).max() <= _NEGLIGIBLE
        self._turn: Floats | None = turn if similar else None
        self._still = similar and np.array_equal(turn, np.eye(3))

    def label(self, name: str) -> object:
        """What tells changes of one target attribute apart."""
        base = None if self._turn is not None else self._attributes.get(name)
        return self._key, base

    def of_vertex(self, name: str) -> _Change | None:
        """Return the change of an attribute; None where it stays."""
        if name == "POSITION":
            return lambda rows: rows @ self._linear.T + self._shift
        if self._still or name not in {"NORMAL", "TANGENT"}:
            return None
        if name == "NORMAL":
            return lambda rows: self._unit(self._directed(rows, "NORMAL"))
        return lambda rows: np.concatenate(
            [self._unit(self._directed(rows[:, :3], "TANGENT")), rows[:, 3:] * self._sign], axis=1
        )

    def of_target(self, name: str) -> _Change | None:
        """Return the change of a morph target's attribute; None where it stays."""
        if name == "POSITION":
            return lambda rows: rows @ self._linear.T
        if self._still or name not in {"NORMAL", "TANGENT"}:
            return None
        return lambda rows: self._directed(rows, name) / self._stretch(name)

    def _directed(self, rows: Floats, name: str) -> Floats:
        if self._turn is not None:
            return rows @ self._turn.T
        found: Floats = rows @ (np.linalg.inv(self._linear) if name == "NORMAL" else self._linear.T)
        return found

    def _unit(self, rows: Floats) -> Floats:
        return rows if self._turn is not None else rows / _lengths(rows)

    def _stretch(self, name: str) -> Floats:
        """How much longer the base's vectors become before they are unit vectors again."""
        if self._turn is not None or name not in self._attributes:
            return np.ones((1, 1))
        base = numbers(self._document, self._attributes[name])[:, :3]
        return _lengths(self._directed(base, name))


def _lengths(rows: Floats) -> Floats:
    found: Floats = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(found > 0, found, 1.0)
