"""Assetwright in Blender: from a prompt or a picture to a model of the right size.

`wire` speaks to the server, `core` follows jobs; neither knows Blender. `shell` is what a person
sees, and the only part that imports bpy.
"""

from __future__ import annotations

__all__ = ["register", "unregister"]


def register() -> None:
    """Put everything into Blender, and take up the jobs that were not finished."""
    from . import shell  # noqa: PLC0415  # The other parts are usable without Blender.

    shell.register()


def unregister() -> None:
    """Take everything out. Jobs go on at the server."""
    from . import shell  # noqa: PLC0415  # As above.

    shell.unregister()
