"""The extension as Blender sees it. Everything here runs in Blender's main thread."""

from __future__ import annotations

import bpy

from . import (
    form,
    jobs,
    panels,
    parameters,
    preferences,
    server,
    state,
    timer,
    ways_out,
)

__all__ = ["register", "unregister"]

_CLASSES = (
    *preferences.CLASSES,
    *form.CLASSES,
    *jobs.CLASSES,
    *server.CLASSES,
    *ways_out.CLASSES,
    *panels.CLASSES,
)


def register() -> None:
    """Register everything and begin."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    form.register()
    state.open_desk()
    panels.register()
    timer.register()


def unregister() -> None:
    """Undo `register`, in reverse."""
    timer.unregister()
    panels.unregister()
    server.stop()
    state.close_desk()
    parameters.unregister()
    form.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
