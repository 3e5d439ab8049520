"""Leave out what nothing uses, and store what is equal once."""

from __future__ import annotations

import hashlib
import json as text
from typing import TYPE_CHECKING

from asset_processing._references import extensions_in, movable, references
from asset_processing.accessors import is_decodable, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from asset_processing._fields import JsonObject
    from asset_processing.document import GlbDocument

__all__ = ["prune"]

_REMOVABLE = (
    "nodes",
    "meshes",
    "skins",
    "cameras",
    "materials",
    "textures",
    "images",
    "samplers",
    "accessors",
    "bufferViews",
    "buffers",
)


def prune(document: GlbDocument) -> str | None:
    """Merge equal entries, then drop entries that nothing refers to.

    Accessors, samplers, textures and materials are equal when their JSON (names and extras
    included) and their numbers are; images with other names share their bytes. Bytes of the binary
    chunk that no buffer view covers leave the file, as do extensions that are declared but absent.
    Nodes stay where a scene, a skin or an animation reaches them, empty or not: they may be
    sockets. What is drawn does not change.

    Args:
        document: Changed in place.

    Returns:
        Why nothing was done; None where it was.
    """
    if not movable(document.json):
        return "the file uses an extension whose references are not known"
    _merge_views_of_images(document)
    for array in ("samplers", "images", "textures", "materials"):
        _merge(document, array, lambda index, array=array: _text(document.json[array][index]))  # type: ignore[misc]
    _merge_accessors(document)
    scenes = bool(document.json.get("scenes"))
    for array in _REMOVABLE:
        if array == "nodes" and not scenes:
            continue
        for index in range(len(document.json.get(array, []))):
            document.drop(array, index)
    document.drop_uncovered()
    _undeclare(document)
    return None


def _text(entry: JsonObject) -> str:
    return text.dumps(entry, sort_keys=True)


def _merge(document: GlbDocument, array: str, key_of: Callable[[int], Hashable]) -> None:
    """Let all who refer to an entry refer to the first one with the same key."""
    first: dict[Hashable, int] = {}
    moves: dict[int, int] = {}
    for index in range(len(document.json.get(array, []))):
        same = first.setdefault(key_of(index), index)
        if same != index:
            moves[index] = same
    if not moves:
        return
    for reference in references(document.edit_json()):
        if reference.array == array and reference.index in moves:
            reference.holder[reference.key] = moves[reference.index]


def _merge_views_of_images(document: GlbDocument) -> None:
    """Let images with the same bytes share one buffer view."""
    first: dict[bytes, int] = {}
    for index, image in enumerate(document.images):
        view = document.json["images"][index].get("bufferView")
        if view is None:
            continue
        same = first.setdefault(hashlib.sha256(image.data).digest(), view)
        if same != view:
            document.edit_json()["images"][index]["bufferView"] = same


def _merge_accessors(document: GlbDocument) -> None:
    """Compare the numbers only of accessors that declare the same."""
    declared: dict[str, list[int]] = {}
    for index, entry in enumerate(document.json.get("accessors", [])):
        if is_decodable(document, index) and "sparse" not in entry:
            place = {"bufferView": _target(document, index), "byteOffset": 0}
            declared.setdefault(_text({**entry, **place}), []).append(index)
    keys: dict[int, Hashable] = {}
    for group in declared.values():
        if len(group) > 1:
            for index in group:
                data = stored(document, index).tobytes()
                keys[index] = (group[0], hashlib.sha256(data).digest())
    _merge(document, "accessors", lambda index: keys.get(index, index))


def _target(document: GlbDocument, accessor: int) -> int | None:
    view = document.accessors[accessor].view
    return None if view is None else document.json["bufferViews"][view].get("target", 0)


def _undeclare(document: GlbDocument) -> None:
    present = extensions_in(document.json)
    for name in list(document.json.get("extensionsUsed", [])):
        if name not in present and name != "KHR_mesh_quantization":  # That one is never an object.
            document.disuse_extension(name)
