"""Run by a Python that has bpy: import GLBs and print the bounds of what Blender then shows.

python measure_in_bpy.py FILE...    one JSON object a line: name, and min and max in Blender's axes
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy


def measured(path: Path) -> dict[str, object]:
    """Import a file into an empty scene and measure every mesh in the world."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(path))
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    corners = []
    for instance in graph.object_instances:
        if instance.object.type != "MESH" or instance.object.name.startswith("Icosphere"):
            continue
        mesh = instance.object.to_mesh()
        corners += [instance.matrix_world @ vertex.co for vertex in mesh.vertices]
        instance.object.to_mesh_clear()
    return {
        "name": path.name,
        "min": [min(corner[axis] for corner in corners) for axis in range(3)],
        "max": [max(corner[axis] for corner in corners) for axis in range(3)],
    }


def main() -> None:
    """Measure each file that the command line names; Blender's own chatter goes elsewhere."""
    with Path(sys.argv[1]).open("w") as out:
        for name in sys.argv[2:]:
            try:
                found = measured(Path(name))
            except RuntimeError as error:
                found = {"name": Path(name).name, "error": str(error)}
            print(json.dumps(found), file=out, flush=True)


main()
