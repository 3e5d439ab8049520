"""Putting a fetched model into the scene: all of it or nothing, in one undo step."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING

import bpy
from mathutils import Matrix

from ..core.progress import receipt_words
from ..wire.messages import CheckOutcome
from . import bounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..core.record import Record
    from ..wire.messages import Report

__all__ = ["PlaceError", "place"]

_COLLISION = re.compile(r"-(conv)?col(only)?(\.\d+)?$")


class PlaceError(Exception):
    """Nothing was placed. The message says why and what to do."""


@contextlib.contextmanager
def _window() -> Iterator[None]:
    """Give operators a window, which a timer has none of."""
    windows = bpy.context.window_manager.windows
    if bpy.context.window is not None or not windows:
        yield
        return
    with bpy.context.temp_override(window=windows[0]):
        yield


def place(record: Record, path: Path) -> bpy.types.Object:
    """Put a job's model into the scene.

    Returns:
        The object that stands for the whole model; it carries where it is from.

    Raises:
        PlaceError: Blender is in another mode, or cannot read the file.
    """
    with _window():
        if bpy.context.mode != "OBJECT":
            raise PlaceError("Leave the edit mode; the model is placed then.")
        before = set(bpy.data.objects)
        try:
            bpy.ops.import_scene.gltf(filepath=str(path))
            root = _stand(record, [one for one in bpy.data.objects if one not in before])
        except Exception as wrong:
            for one in set(bpy.data.objects) - before:
                bpy.data.objects.remove(one)
            if isinstance(wrong, RuntimeError):
                raise PlaceError(f"Blender cannot import the model: {wrong}") from wrong
            raise
        _describe(root, record)
        _retire(record, root)
        for one in bpy.context.selected_objects:
            one.select_set(state=False)
        root.select_set(state=True)
        bpy.context.view_layer.objects.active = root
        bpy.ops.ed.undo_push(message="Place Assetwright model")
    return root


def _stand(record: Record, fresh: list[bpy.types.Object]) -> bpy.types.Object:
    """Make one object of the import, and stand its base on the place."""
    for one in fresh:
        if _COLLISION.search(one.name):
            one.hide_render = True
            one.hide_set(state=True)
    roots = [one for one in fresh if one.parent is None]
    if not roots:
        raise PlaceError("The file holds no object.")
    where = Matrix.Translation(record.placement.location)
    turn = Matrix.Rotation(record.placement.rotation, 4, "Z")
    root = roots[0]
    if len(roots) > 1:
        root = bpy.data.objects.new("Model", None)
        bpy.context.collection.objects.link(root)
        for one in roots:
            one.parent = root
    elif _can_bake(root):
        root.data.transform(root.matrix_basis)
        root.matrix_basis = Matrix()
    root.matrix_basis = where @ turn @ root.matrix_basis
    root.name = _object_name(record)
    if root.animation_data is None:
        root.rotation_mode = "XYZ"  # What Blender's own objects have; the importer leaves another.
    bpy.context.view_layer.update()
    return root


def _can_bake(root: bpy.types.Object) -> bool:
    """Tell whether its place can go into the mesh, so that the origin is at the base."""
    _, rotation, scale = root.matrix_basis.decompose()
    straight = rotation.angle < 1e-6 and max(scale) - min(scale) < 1e-6 * max(scale)  # noqa: PLR2004
    alone = root.type == "MESH" and root.data.users == 1 and not root.children
    return straight and alone and not root.modifiers and root.data.shape_keys is None


def _object_name(record: Record) -> str:
    words = re.sub(r"\.\w{2,4}$", "", record.title.partition(": ")[2] or record.title)
    return words.strip()[:40] or "Model"


def _describe(root: bpy.types.Object, record: Record) -> None:
    """Write onto the object where it is from and what was measured."""
    frame = root.matrix_world.copy()
    box = bounds.box_of(
        [one for one in bounds.family(root) if not _COLLISION.search(one.name)], _unscaled(frame)
    )
    facts: dict[str, object] = dict(record.provenance) | {
        "request_id": record.request_id,
        "job_id": record.job_id,
        "sandbox": record.sandbox,
        "charge": receipt_words(record.receipt),
        "size": list(box.size) if box else [],
    }
    source, result = record.source(), record.result()
    if source:
        facts["source_asset"] = source.asset_id
    if result:
        facts["sha256"] = result.sha256
    if record.report:
        facts["report"] = json.dumps(_report(record.report))
    for name, value in facts.items():
        root[f"assetwright_{name}"] = value


def _unscaled(matrix: Matrix) -> Matrix:
    place, rotation, _ = matrix.decompose()
    return Matrix.LocRotScale(place, rotation, None)


def _report(report: Report) -> dict[str, object]:
    marks = {CheckOutcome.PASSED: "passed", CheckOutcome.FAILED: "failed"}
    return {
        "checks": [
            {
                "name": one.name,
                "outcome": marks.get(CheckOutcome(one.outcome), "not measured")
                if one.outcome in set(CheckOutcome)
                else "not measured",
                "asked": one.asked,
                "measured": one.measured,
                "unit": one.unit,
                "detail": one.detail,
            }
            for one in report.checks
        ],
        "triangles": report.counts.triangles if report.counts else None,
        "issues": [one.message for one in report.issues],
    }


def _retire(record: Record, root: bpy.types.Object) -> None:
    """Take what the model replaces out of sight, or away."""
    old = bpy.data.objects.get(record.placement.replaces)
    if not record.placement.replaces or old is None or old == root:
        return
    everything = bounds.family(old)
    if record.placement.deletes:
        name = old.name
        for one in everything:
            bpy.data.objects.remove(one)
        root.name = name
        return
    for one in everything:
        one.hide_render = True
        if one.name in bpy.context.view_layer.objects:
            one.hide_set(state=True)
