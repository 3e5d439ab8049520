"""The steps that make files beside the GLB, and shapes that go into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing.document import GlbDocument
from asset_processing.issues import IssueCode
from asset_processing.measure import all_primitives
from asset_processing.operations._plain_glb import plain_glb
from asset_processing.operations.collision import collision_shapes
from asset_processing.operations.decode import decode
from asset_processing.operations.exports import export
from asset_processing.operations.provenance import write_provenance
from asset_processing.operations.textures import extract_textures
from asset_processing.operations.thumbnail import render_thumbnail
from asset_processing.options import Decode
from asset_processing.output_options import ExportFormat
from asset_processing.outputs import OutputFile, OutputKind
from asset_processing.profiles import PROFILES, CollisionPlacement
from asset_processing.report import CollisionFacts
from asset_processing.scene import default_scene, draws
from asset_processing.surface import Unreadable
from asset_processing.work import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asset_processing.operations.collision import Shape
    from asset_processing.work import Work

__all__ = ["add_collision", "add_exports", "add_provenance", "add_thumbnail", "embed"]

_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963


def add_collision(work: Work) -> None:
    """Make collision shapes: a file of their own, or what `embed` is to put into the GLB."""
    options = work.options.collision
    if options is None:
        return
    shapes = collision_shapes(_readable(work), options)
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


def add_provenance(work: Work) -> None:
    """Write where the asset comes from, where that is known."""
    provenance = work.options.provenance
    if provenance is not None and not write_provenance(work.document, provenance):
        finding = Finding(code=IssueCode.PROVENANCE_NOT_WRITTEN, pointer="/asset/extras")
        work.findings.append(finding)


def add_thumbnail(work: Work) -> None:
    """Draw the model."""
    size_px = work.options.thumbnail_px
    if size_px is None:
        return
    try:
        data = render_thumbnail(_readable(work), size_px=size_px)
    except Unreadable as exc:
        code = IssueCode.THUMBNAIL_NOT_MADE
        work.findings.append(Finding(code=code, addition=_because(exc)))
        return
    work.outputs.append(
        OutputFile(
            name="thumbnail.png", kind=OutputKind.THUMBNAIL, media_type="image/png", data=data
        )
    )


def add_exports(work: Work) -> None:
    """Write the model in other formats."""
    formats = tuple(dict.fromkeys(work.options.exports))
    textures = extract_textures(work.document) if formats else ()
    for kind in formats:
        # glTF is taken apart as it is; what others need is decoded for them.
        source = work.document if kind is ExportFormat.GLTF else _readable(work)
        try:
            work.outputs.append(export(source, kind, textures=textures))
        except Unreadable as exc:
            addition = f"No {kind.value.upper()}: {exc}."
            work.findings.append(Finding(code=IssueCode.EXPORT_NOT_MADE, addition=addition))


def _readable(work: Work) -> GlbDocument:
    """The delivered document, or a decoded copy where its vertices are compressed."""
    document = work.document
    if work.options.decode is Decode.NEVER or not any(
        primitive.compressed for primitive in all_primitives(document)
    ):
        return document
    if work.decoded is None:
        copy = GlbDocument.parse(work.glb, document.limits)
        decode(copy)
        work.decoded = GlbDocument.parse(copy.to_bytes(), document.limits)
    return work.decoded


def _because(reason: Exception) -> str:
    text = str(reason)
    return f"{text[0].upper()}{text[1:]}."


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
