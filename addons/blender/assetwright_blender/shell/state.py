"""The one desk, and what it is told from the preferences."""

from __future__ import annotations

import uuid
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
    "folder",
    "is_here",
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
    """Return what tells this document from others: what is open now, its file, and the scene."""
    # Blender empties this dictionary when it opens another file, and at no other time.
    opened = bpy.app.driver_namespace.setdefault("assetwright_document", str(uuid.uuid4()))
    return f"{opened}\n{bpy.data.filepath}\n{scene.name}"


def is_here(document_then: str, scene: bpy.types.Scene) -> bool:
    """Tell whether that document, or the file it was saved as, is open now."""
    opened, path, name = (*document_then.split("\n"), "", "", "")[:3]
    now_opened, now_path, now_name = document(scene).split("\n")
    return name == now_name and (opened == now_opened or (path != "" and path == now_path))
