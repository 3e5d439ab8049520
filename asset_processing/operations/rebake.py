"""Fewer triangles by another way: a new unwrap, and the textures baked again from the old surface.

Collapsing keeps the atlas, and so at least a triangle or two for each of its charts: a fragmented
one tears below a few triangles a chart. Here the shape alone is simplified and unwrapped anew, and
each texel of the new textures is looked up where the old surface is nearest.
"""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing._arrays import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER
from asset_processing.accessors import numbers
from asset_processing.baking import Baking, TexturedMesh, unwrap
from asset_processing.nearest import NearestOnSurface
from asset_processing.operations.simplify import Simplified, simplify
from asset_processing.operations.textures import texture_slots
from asset_processing.primitives import Primitive, primitives, stored_triangles
from asset_processing.simplifier import Attribute, Simplifier
from asset_processing.survey import weld

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asset_processing._fields import JsonObject
    from asset_processing.accessors import Floats
    from asset_processing.document import GlbDocument

__all__ = ["rebake", "why_not"]

_TRIANGLES = 4
_NORMAL_WEIGHT = 0.03
_SAMPLES = 4096
_TRIES = 5
_MEDIA = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_SAVING: dict[str, dict[str, int]] = {
    "PNG": {"compress_level": 3},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "method": 2},
}
_MAX_INDEX_16 = 0xFFFF


@dataclass(frozen=True, slots=True)
class _Slot:
    """A texture that the material uses."""

    name: str
    image: int
    width: int
    height: int


def why_not(document: GlbDocument) -> str | None:
    """Return why a document cannot be baked again, for people; None where it can.

    One mesh of one textured primitive, without skin and morph targets: what generators deliver.
    """
    meshes = document.json.get("meshes", [])
    if len(meshes) != 1 or len(meshes[0]["primitives"]) != 1:
        return "it has several meshes or primitives"
    found = list(primitives(document, 0))
    if not found or found[0].mode < _TRIANGLES or found[0].compressed:
        return "its mesh has no triangles that can be read"
    values = found[0].values
    attributes = values["attributes"]
    if values.get("targets") or any(name.startswith("JOINTS_") for name in attributes):
        return "its mesh has a skin or morph targets"
    if not {"NORMAL", "TEXCOORD_0"} <= attributes.keys():
        return "its mesh has no normals or no texture coordinates"
    if "material" not in values or values.get("extensions"):
        return "its primitive has no material, or extensions"
    return _why_not_textures(document, document.json["materials"][values["material"]])


def _why_not_textures(document: GlbDocument, material: JsonObject) -> str | None:
    slots = list(texture_slots(material))
    if not slots:
        return "its material has no textures"
    for name, info in slots:
        if info.get("texCoord", 0) or info.get("extensions"):
            return f"{name} uses other texture coordinates, or a transform"
        image = document.images[_image_of(document, info)]
        if image.header.media_type not in _MEDIA or image.header.width is None:
            return f"{name} is no PNG, JPEG or WebP"
    return None


def rebake(
    document: GlbDocument, *, max_triangles: int | None = None, max_vertices: int | None = None
) -> Simplified | None:
    """Reduce a document's only mesh, with a new atlas and textures of the old sizes.

    Textures stay in their formats, those that lose are saved at quality 95. The shape's extents
    stay. Tangents leave the file, vertex colours are taken from the nearest place.

    Args:
        document: One for which `why_not` finds no reason; changed in place.
        max_triangles: At most so many; None for any number.
        max_vertices: At most so many, the new seams counted; None for any number.

    Returns:
        What was done; None where the budgets were met already.

    Raises:
        InvalidGlb: A position is not finite, or an index names no vertex.
    """
    (primitive,) = primitives(document, 0)
    old = _read(document, primitive)
    budget = len(old.triangles) if max_triangles is None else max_triangles
    within = max_vertices is None or len(old.positions) <= max_vertices
    if len(old.triangles) <= budget and within:
        return None
    new, kept = _fitting(old, budget, max_vertices)
    if new is None:
        return simplify(document, max_triangles=max_triangles, max_vertices=max_vertices)
    material = document.edit_json()["materials"][primitive.values["material"]]
    _bake_textures(document, material, old, new)
    _write(document, primitive, old, new)
    return Simplified(
        triangles_before=len(old.triangles),
        triangles=len(new.triangles),
        vertices_before=len(old.positions),
        vertices=len(new.positions),
        primitives_gone=0,
        distance=_distance(old, kept),
    )


def _read(document: GlbDocument, primitive: Primitive) -> TexturedMesh:
    attributes = primitive.values["attributes"]
    return TexturedMesh(
        numbers(document, attributes["POSITION"]),
        numbers(document, attributes["NORMAL"]),
        numbers(document, attributes["TEXCOORD_0"]),
        stored_triangles(document, primitive),
    )


def _fitting(
    old: TexturedMesh, max_triangles: int, max_vertices: int | None
) -> tuple[TexturedMesh | None, TexturedMesh]:
    """Simplify the welded shape and unwrap it, again where its seams cost too many vertices."""
    places, labels = weld(old.positions)
    normals = np.zeros_like(places)
    np.add.at(normals, labels, old.normals)
    normals = _unit(normals)
    extremes = np.concatenate([places.argmin(axis=0), places.argmax(axis=0)])
    simplifier = Simplifier(
        places,
        labels[old.triangles],
        [Attribute(normals, _NORMAL_WEIGHT)],
        pinned=extremes,
    )
    goal = max_triangles
    for _ in range(_TRIES):
        simplifier.reduce(max_triangles=goal)
        result = simplifier.result()
        if not len(result.triangles):
            return None, old
        positions = result.positions.clip(places.min(axis=0), places.max(axis=0))
        directions = _unit(result.attributes[0])
        kept, coordinates, triangles = unwrap(positions, directions, result.triangles)
        new = TexturedMesh(positions[kept], directions[kept], coordinates, triangles)
        if max_vertices is None or len(kept) <= max_vertices:
            return new, new
        goal = max(int(len(triangles) * max_vertices / len(kept) * 0.97), 1)
    return None, old


def _bake_textures(
    document: GlbDocument, material: JsonObject, old: TexturedMesh, new: TexturedMesh
) -> None:
    """Give each image of the material another one, once for all the slots that show it."""
    bakings: dict[tuple[int, int], Baking] = {}
    done: dict[tuple[int, bool], int] = {}
    for name, info in texture_slots(material):
        is_normal = name.lower().endswith("normaltexture")
        image = _image_of(document, info)
        if (image, is_normal) not in done:
            picture, kind = _decoded(document, image)
            size = (picture.shape[1], picture.shape[0])
            if size not in bakings:
                bakings[size] = Baking(old, new, width=size[0], height=size[1])
            baking = bakings[size]
            baked = baking.bake_normals(picture) if is_normal else baking.bake(picture)
            added = document.add_image(
                _encoded(baked, kind),
                media_type=document.images[image].header.media_type,
                name=document.json["images"][image].get("name"),
            )
            done[image, is_normal] = added
        _show(document, info, done[image, is_normal])


def _show(document: GlbDocument, info: JsonObject, image: int) -> None:
    """Let a texture slot show another image; the texture is copied with its sampler."""
    before = info["index"]
    texture = copy.deepcopy(document.json["textures"][before])
    texture.pop("source", None)
    extensions = texture.pop("extensions", {})
    if "EXT_texture_webp" in extensions:
        texture["extensions"] = {"EXT_texture_webp": {"source": image}}
    else:
        texture["source"] = image
    info["index"] = document.add("textures", texture)
    document.drop("textures", before)


def _image_of(document: GlbDocument, info: JsonObject) -> int:
    texture = document.json["textures"][info["index"]]
    webp = texture.get("extensions", {}).get("EXT_texture_webp", {})
    image: int = webp.get("source", texture.get("source", 0))
    return image


def _decoded(document: GlbDocument, image: int) -> tuple[NDArray[np.uint8], str]:
    """Return texels, shape (height, width, channels), and Pillow's name of the format."""
    from PIL import Image  # noqa: PLC0415  # Only to bake.

    source = document.images[image]
    kind = _MEDIA[source.header.media_type]
    with Image.open(io.BytesIO(source.data), formats=[kind]) as picture:
        plain = picture.mode in {"L", "LA", "RGB", "RGBA"}
        mode = "RGBA" if "transparency" in picture.info else "RGB"
        texels = np.asarray(picture if plain else picture.convert(mode))
    return texels.reshape(*texels.shape[:2], -1), kind


def _encoded(picture: NDArray[np.uint8], kind: str) -> bytes:
    from PIL import Image  # noqa: PLC0415

    file = io.BytesIO()
    single = picture.shape[2] == 1
    Image.fromarray(picture[:, :, 0] if single else picture).save(file, kind, **_SAVING[kind])
    return file.getvalue()


def _write(
    document: GlbDocument, primitive: Primitive, old: TexturedMesh, new: TexturedMesh
) -> None:
    attributes = {
        "POSITION": document.add_accessor(
            new.positions.astype(np.float32), target=ARRAY_BUFFER, with_range=True
        ),
        "NORMAL": document.add_accessor(new.normals.astype(np.float32), target=ARRAY_BUFFER),
        "TEXCOORD_0": document.add_accessor(
            new.coordinates.astype(np.float32), target=ARRAY_BUFFER
        ),
    }
    colors = [name for name in primitive.values["attributes"] if name.startswith("COLOR_")]
    if colors:
        places = NearestOnSurface(old.positions, old.triangles).find(
            new.positions, facing=new.normals
        )
        for name in colors:
            values = numbers(document, primitive.values["attributes"][name])
            found = old.at(values, places.face, places.weights).clip(0, 1)
            attributes[name] = document.add_accessor(found.astype(np.float32), target=ARRAY_BUFFER)
    kind = np.uint16 if len(new.positions) <= _MAX_INDEX_16 else np.uint32
    indices = document.add_accessor(
        new.triangles.reshape(-1).astype(kind), target=ELEMENT_ARRAY_BUFFER
    )
    primitive.values.pop("mode", None)
    document.replace_primitive(primitive.values, attributes=attributes, indices=indices)


def _distance(old: TexturedMesh, new: TexturedMesh) -> float:
    diagonal = float(np.linalg.norm(np.ptp(old.positions, axis=0)))
    step = max(len(old.positions) // _SAMPLES, 1)
    found = NearestOnSurface(new.positions, new.triangles).find(old.positions[::step])
    return float(found.distance.max()) / diagonal if diagonal else 0.0


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = np.where(length > 0, vectors / np.where(length > 0, length, 1), (0.0, 1.0, 0.0))
    return unit
