"""What the 3D view shows, as a picture."""

from __future__ import annotations

import contextlib
import tempfile
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ViewportError", "picture", "png", "shows_nothing"]

_PIXELS = 1024


class ViewportError(Exception):
    """There is no view to take a picture of."""


@contextlib.contextmanager
def _set(owner: Any, **values: object) -> Iterator[None]:  # Any of Blender's data.
    before = {name: getattr(owner, name) for name in values}
    try:
        for name, value in values.items():
            setattr(owner, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


@contextlib.contextmanager
def png(scene: bpy.types.Scene, path: Path) -> Iterator[None]:
    """Have the scene's renders written to this file, square and transparent, for a while."""
    render = scene.render
    # The kind goes first, there and back: it decides about the formats, and these about the rest.
    kind = {"media_type": "IMAGE"} if hasattr(render.image_settings, "media_type") else {}
    form = {"file_format": "PNG", "color_mode": "RGBA", "color_depth": "8"}
    with (
        _set(render, film_transparent=True, resolution_x=_PIXELS, resolution_y=_PIXELS),
        _set(render, resolution_percentage=100, filepath=str(path), use_file_extension=True),
        _set(render.image_settings, **kind, **form),
    ):
        yield


def shows_nothing(path: Path) -> bool:
    """Tell whether all of a picture is transparent."""
    image = bpy.data.images.load(str(path))
    try:
        values = array("f", bytes(4 * len(image.pixels)))
        image.pixels.foreach_get(values)
        return not any(values[3::4])
    finally:
        bpy.data.images.remove(image)


def picture(context: bpy.types.Context) -> bytes:
    """Return a PNG of the 3D view: square, the background transparent, without overlays.

    Raises:
        ViewportError: There is no 3D view, nothing can be drawn, or nothing is to be seen.
    """
    areas = (
        [area for area in context.screen.areas if area.type == "VIEW_3D"] if context.screen else []
    )
    area = context.area if context.area in areas else next(iter(areas), None)
    if area is None or bpy.app.background:
        raise ViewportError("Open a 3D view first; its picture is what the model is made from.")
    region = next(one for one in area.regions if one.type == "WINDOW")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "view.png"
        with (
            png(context.scene, path),
            _set(area.spaces.active.overlay, show_overlays=False),
            context.temp_override(area=area, region=region),
        ):
            bpy.ops.render.opengl(write_still=True, view_context=True)
        if not path.exists():
            raise ViewportError("The view's picture could not be taken.")
        if shows_nothing(path):
            raise ViewportError("The 3D view shows no object; turn it to what shall be made.")
        return path.read_bytes()
