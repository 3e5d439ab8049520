"""The one desk, and what it is told from the preferences."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..core.desk import Connection, Desk
from ..core.store import Store
from ..core.token import TokenFile

if TYPE_CHECKING:
    from ..wire.messages import Model

__all__ = [
    "EXTENSION",
    "close_desk",
    "connection",
    "desk",
    "document",
    "model",
    "open_desk",
    "preferences",
    "token_file",
]

EXTENSION = (__package__ or "").rpartition(".")[0]

_desk: list[Desk] = []


def folder() -> Path:
    """Return the extension's own folder among the user's files."""
    return Path(bpy.utils.extension_path_user(EXTENSION, create=True))


def token_file() -> TokenFile:
    """Return where the token is."""
    return TokenFile(folder() / "token")


def preferences() -> bpy.types.AddonPreferences:
    """Return the extension's preferences."""
    return bpy.context.preferences.addons[EXTENSION].preferences


def connection() -> Connection:
    """Return where the server is and who asks."""
    return Connection(
        address=preferences().address,
        token=token_file().read(),
        online=bpy.app.online_access,
    )


def desk() -> Desk:
    """Return the desk."""
    return _desk[0]


def open_desk() -> None:
    """Make the desk from what is on disk."""
    _desk[:] = [Desk(Store(folder()))]


def close_desk() -> None:
    """Leave all jobs alone."""
    while _desk:
        _desk.pop().stop()


def model(model_id: str) -> Model | None:
    """Return a model of the catalog."""
    return next((one for one in desk().models if one.model_id == model_id), None)


def document(scene: bpy.types.Scene) -> str:
    """Return what tells this document from others: its file, else this run of Blender."""
    return f"{bpy.data.filepath or os.getpid()}\n{scene.name}"
