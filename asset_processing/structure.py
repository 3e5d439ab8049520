"""What hangs together in the file: scenes, nodes, meshes, skins, materials, animations.

After `check_structure` every index in the core of the document is an integer inside the array it
points into, the nodes form trees of bounded depth, and every transform is finite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asset_processing._fields import Fields, JsonObject, is_integer, pointer_to
from asset_processing._references import references
from asset_processing.errors import GlbTooLarge, InvalidGlb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asset_processing.layout import Accessor
    from asset_processing.limits import Limits

__all__ = ["PER_INSTANCE", "check_structure"]

PER_INSTANCE = "EXT_mesh_gpu_instancing"

_ARRAYS = [
    "accessors",
    "animations",
    "bufferViews",
    "buffers",
    "cameras",
    "images",
    "materials",
    "meshes",
    "nodes",
    "samplers",
    "scenes",
    "skins",
    "textures",
]
_FLOAT = 5126
_TRIANGLES, _TRIANGLE_FAN = 4, 6
_UNSIGNED = (5121, 5123, 5125)
_MIN_QUATERNION = 1e-6


def check_structure(document: Fields, accessors: Sequence[Accessor], *, limits: Limits) -> None:
    """Check everything but buffers and images.

    Raises:
        InvalidGlb: With the JSON pointer of what is wrong.
        GlbTooLarge: There are more entries or deeper trees than the limits allow.
    """
    _check_asset(document)
    _check_extensions(document.values)
    _check_sizes(document, limits=limits)
    _check_meshes(document, accessors, limits=limits)
    for node in document.children("nodes"):
        _check_node(node, document, accessors)
    _check_trees(document, limits=limits)
    _check_scenes(document)
    _check_skins(document, accessors, limits=limits)
    _check_animations(document)
    _check_textures(document)
    _check_references(document)


def _check_extensions(document: JsonObject) -> None:
    """Every ``extensions`` outside of extras is an object of objects (glTF 2.0, 5.13)."""
    waiting: list[tuple[str, object]] = [("", document)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(pointer_to(pointer, key), member) for key, member in enumerate(value)]
        elif isinstance(value, dict):
            fields = Fields(value, pointer)
            extensions = fields.child("extensions")
            for name in extensions.values if extensions else ():
                fields.extension(name)
            waiting += [
                (pointer_to(pointer, key), member)
                for key, member in value.items()
                if key != "extras"
            ]


def _check_references(document: Fields) -> None:
    """Every index that the document can be renumbered by is one."""
    for mesh in document.children("meshes"):
        for primitive in mesh.children("primitives"):
            variants = primitive.extension("KHR_materials_variants")
            draco = primitive.extension("KHR_draco_mesh_compression")
            if draco:
                draco.index("bufferView", below=len(document.array("bufferViews")))
            if variants:
                list(variants.children("mappings"))  # Each is an object.
    for array in ("nodes", "materials"):
        for entry in document.children(array):
            lods = entry.extension("MSFT_lod")
            if lods:
                lods.array("ids")
    for reference in references(document.values):
        value = reference.holder[reference.key]
        if not is_integer(value) or not 0 <= value < len(document.array(reference.array)):
            where = "" if reference.owner is None else "/{}/{}".format(*reference.owner)
            raise InvalidGlb(
                f"{where} holds {value!r} for {reference.key!r}, which is no index into "
                f"/{reference.array}.",
                pointer=where,
            )


def _check_asset(document: Fields) -> None:
    asset = document.child("asset")
    version = asset.string("version") if asset else None
    if version is None or version.partition(".")[0] != "2":
        raise document.refuse("asset/version", "must be '2.0'.")
    for name in ("extensionsUsed", "extensionsRequired"):
        if not all(isinstance(entry, str) for entry in document.array(name)):
            raise document.refuse(name, "must hold names.")


def _check_sizes(document: Fields, *, limits: Limits) -> None:
    for name in _ARRAYS:
        allowed = limits.max_nodes if name == "nodes" else limits.max_entries
        count = len(document.array(name))
        if count > allowed:
            raise GlbTooLarge(
                f"/{name} has {count} entries; {allowed} are allowed.", pointer=f"/{name}"
            )
        for entry in document.children(name):  # Each is an object, with text for a name.
            entry.string("name")


def _check_meshes(document: Fields, accessors: Sequence[Accessor], *, limits: Limits) -> None:
    total = 0
    materials = len(document.array("materials"))
    for mesh in document.children("meshes"):
        mesh.numbers("weights")
        for primitive in mesh.children("primitives"):
            total += 1
            primitive.index("material", below=materials)
            _check_primitive(primitive, accessors)
    if total > limits.max_primitives:
        raise GlbTooLarge(
            f"The meshes have {total} primitives; {limits.max_primitives} are allowed.",
            limit="max_primitives",
        )


def _check_primitive(primitive: Fields, accessors: Sequence[Accessor]) -> None:
    if primitive.integer("mode", default=_TRIANGLES) > _TRIANGLE_FAN:
        raise primitive.refuse("mode", "must be 0 to 6.")
    indices = primitive.index("indices", below=len(accessors))
    if indices is not None and (
        accessors[indices].type != "SCALAR" or accessors[indices].component_type not in _UNSIGNED
    ):
        raise primitive.refuse("indices", "must be unsigned integers.")
    attributes = primitive.child("attributes")
    count = _check_attributes(attributes, accessors) if attributes else None
    for target in primitive.children("targets"):
        if _check_attributes(target, accessors) not in (None, count):
            raise InvalidGlb(
                f"{target.pointer} has another number of vertices than its primitive.",
                pointer=target.pointer,
            )


def _check_attributes(attributes: Fields, accessors: Sequence[Accessor]) -> int | None:
    """Return the number of vertices: the same for every attribute (glTF 2.0, 3.7.2.1)."""
    counts = set()
    for name in attributes.values:
        found = accessors[attributes.required_index(name, below=len(accessors))]
        if name == "POSITION" and found.type != "VEC3":
            raise attributes.refuse(name, "must be VEC3.")
        if name.startswith(("JOINTS_", "WEIGHTS_")) and found.type != "VEC4":
            raise attributes.refuse(name, "must be VEC4.")
        counts.add(found.count)
    if len(counts) > 1:
        raise InvalidGlb(
            f"{attributes.pointer} has accessors of different counts: {sorted(counts)}.",
            pointer=attributes.pointer,
        )
    return counts.pop() if counts else None


def _check_node(node: Fields, document: Fields, accessors: Sequence[Accessor]) -> None:
    for key, array in (("mesh", "meshes"), ("skin", "skins"), ("camera", "cameras")):
        node.index(key, below=len(document.array(array)))
    node.indices("children", below=len(document.array("nodes")))
    node.numbers("weights")
    matrix = node.numbers("matrix", count=16)
    parts = [node.numbers("translation", count=3), node.numbers("scale", count=3)]
    rotation = node.numbers("rotation", count=4)
    if matrix and (any(parts) or rotation):
        raise node.refuse("matrix", "stands beside translation, rotation or scale.")
    if rotation and sum(part * part for part in rotation) ** 0.5 < _MIN_QUATERNION:
        raise node.refuse("rotation", "is no rotation: the quaternion is zero.")
    instancing = node.extension(PER_INSTANCE)
    attributes = instancing.child("attributes") if instancing else None
    if attributes:
        _check_instances(attributes, accessors)


def _check_instances(attributes: Fields, accessors: Sequence[Accessor]) -> None:
    _check_attributes(attributes, accessors)
    for name, kind in (("TRANSLATION", "VEC3"), ("ROTATION", "VEC4"), ("SCALE", "VEC3")):
        index = attributes.index(name, below=len(accessors))
        if index is not None and accessors[index].type != kind:
            raise attributes.refuse(name, f"must be {kind}.")


def _check_trees(document: Fields, *, limits: Limits) -> None:
    """Every node has one parent at most and none is its own ancestor (glTF 2.0, 3.5.2)."""
    children = [node.get("children", []) for node in document.array("nodes")]
    seen: set[int] = set()
    for parent, below in enumerate(children):
        for child in below:
            if child in seen or child == parent:
                raise InvalidGlb(
                    f"/nodes/{child} has two parents or is its own child.",
                    pointer=f"/nodes/{child}",
                )
            seen.add(child)
    level = [node for node in range(len(children)) if node not in seen]
    reached = depth = 0
    while level:
        reached, depth = reached + len(level), depth + 1
        level = [child for node in level for child in children[node]]
    if depth > limits.max_node_depth:
        raise GlbTooLarge(
            f"The nodes are {depth} levels deep; {limits.max_node_depth} are allowed.",
            limit="max_node_depth",
        )
    if reached < len(children):
        raise InvalidGlb("Some /nodes are children of one another, in a circle.", pointer="/nodes")


def _check_scenes(document: Fields) -> None:
    nodes = len(document.array("nodes"))
    children = {child for node in document.array("nodes") for child in node.get("children", [])}
    document.index("scene", below=len(document.array("scenes")))
    for scene in document.children("scenes"):
        for root in scene.indices("nodes", below=nodes):
            if root in children:
                raise scene.refuse("nodes", f"names node {root}, which has a parent.")


def _check_skins(document: Fields, accessors: Sequence[Accessor], *, limits: Limits) -> None:
    nodes = len(document.array("nodes"))
    total = 0
    for skin in document.children("skins"):
        joints = skin.indices("joints", below=nodes)
        total += len(joints)
        if total > limits.max_joints:
            raise GlbTooLarge(
                f"The skins have over {limits.max_joints} joints.", limit="max_joints"
            )
        skin.index("skeleton", below=nodes)
        matrices = skin.index("inverseBindMatrices", below=len(accessors))
        if matrices is not None and (
            (accessors[matrices].type, accessors[matrices].component_type) != ("MAT4", _FLOAT)
            or accessors[matrices].count < len(joints)
        ):
            raise skin.refuse("inverseBindMatrices", "must hold a MAT4 of floats for each joint.")


def _check_animations(document: Fields) -> None:
    accessors = len(document.array("accessors"))
    for animation in document.children("animations"):
        for sampler in animation.children("samplers"):
            sampler.required_index("input", below=accessors)
            sampler.required_index("output", below=accessors)
        for channel in animation.children("channels"):
            channel.required_index("sampler", below=len(animation.array("samplers")))
            target = channel.child("target")
            if target:
                target.index("node", below=len(document.array("nodes")))
                target.string("path")


def _check_textures(document: Fields) -> None:
    images, textures = len(document.array("images")), len(document.array("textures"))
    for texture in document.children("textures"):
        texture.index("source", below=images)
        texture.index("sampler", below=len(document.array("samplers")))
        extensions = texture.child("extensions")
        for name in extensions.values if extensions else ():
            extension = texture.extension(name)
            if extension:
                extension.index("source", below=images)
    for material in document.children("materials"):
        _check_material(material, textures)


def _check_material(fields: Fields, textures: int) -> None:
    """Check every ``...Texture`` of a material and of the extensions in it."""
    for key, value in fields.values.items():
        if not isinstance(value, dict) or key == "extras":
            continue
        child = Fields(value, pointer_to(fields.pointer, key))
        if key.endswith("Texture"):
            child.index("index", below=textures)
        else:
            _check_material(child, textures)
