"""The steps that make files beside the GLB, and shapes that go into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing.document import GlbDocument
from asset_processing.operations._plain_glb import plain_glb
from asset_processing.operations.collision import collision_shapes
from asset_processing.outputs import OutputFile, OutputKind
from asset_processing.profiles import PROFILES, CollisionPlacement
from asset_processing.report import CollisionFacts
from asset_processing.scene import default_scene, draws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asset_processing.operations.collision import Shape
    from asset_processing.work import Work

__all__ = ["add_collision", "embed"]

_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963


def add_collision(work: Work) -> None:
    """Make collision shapes: a file of their own, or what `embed` is to put into the GLB."""
    options = work.options.collision
    if options is None:
        return
    shapes = collision_shapes(work.document, options)
    template = PROFILES[work.options.engine_profile].collision_name
    name = _mesh_name(work.document)
    named = [(template.format(name=name, part=part), shape) for part, shape in enumerate(shapes)]
    placement = options.placement_for(work.options.engine_profile)
    if placement is CollisionPlacement.NODES:
        work.shapes = named
    else:
        work.outputs.append(
            OutputFile(
                name="collision.glb",
                kind=OutputKind.COLLISION,
                media_type="model/gltf-binary",
                data=plain_glb(named),
            )
        )
    work.collision = CollisionFacts(
        kind=options.kind,
        placement=placement,
        names=tuple(name for name, _ in named),
        vertices=sum(len(shape.points) for shape in shapes),
        triangles=sum(len(shape.faces) for shape in shapes),
        volume_m3=sum(map(_volume, shapes)),
    )


def embed(glb: bytes, shapes: Sequence[tuple[str, Shape]], *, like: GlbDocument) -> GlbDocument:
    """Return the GLB with a node and a mesh for each named shape at the default scene's roots.

    Args:
        glb: The file.
        shapes: In the world, in metres.
        like: The document of ``glb``, for its limits.
    """
    document = GlbDocument.parse(glb, like.limits)
    for name, shape in shapes:
        attributes = {
            "POSITION": document.add_accessor(
                shape.points.astype(np.float32), target=_ARRAY_BUFFER, with_range=True
            )
        }
        indices = document.add_accessor(
            shape.faces.astype(np.uint32).reshape(-1), target=_ELEMENT_ARRAY_BUFFER
        )
        primitive = {"attributes": attributes, "indices": indices}
        mesh = document.add("meshes", {"name": name, "primitives": [primitive]})
        node = document.add("nodes", {"name": name, "mesh": mesh})
        scene = default_scene(document)
        if scene is not None:
            document.edit_json()["scenes"][scene].setdefault("nodes", []).append(node)
    return GlbDocument.parse(document.to_bytes(), like.limits)


def _mesh_name(document: GlbDocument) -> str:
    """The name that engines give the model: its first mesh's, else its node's."""
    for draw in draws(document):
        for array, index in (("meshes", draw.mesh), ("nodes", draw.node)):
            name = document.json[array][index].get("name")
            if name:
                return str(name)
    return "Model"


def _volume(shape: Shape) -> float:
    a, b, c = shape.points[shape.faces].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)
