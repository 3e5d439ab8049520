"""Every index in the document, with what holds it and what it names.

One walk serves both the question whether an entry is still in use and the renumbering once entries
are gone. An extension that is not listed here may hold indices nobody knows of: where one is
present nothing may be removed or moved (`movable`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asset_processing._fields import JsonObject, is_integer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Reference", "extensions_in", "movable", "references"]

_MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
_DRACO = "KHR_draco_mesh_compression"
_INSTANCING = "EXT_mesh_gpu_instancing"
_LOD = "MSFT_lod"
_VARIANTS = "KHR_materials_variants"

# Those whose indices `references` yields, and those that hold none into the core's arrays.
_UNDERSTOOD = frozenset(
    {
        *_MESHOPT,
        _DRACO,
        _INSTANCING,
        _LOD,
        _VARIANTS,
        "EXT_texture_avif",
        "EXT_texture_webp",
        "FB_ngon_encoding",
        "KHR_lights_punctual",
        "KHR_materials_anisotropy",
        "KHR_materials_clearcoat",
        "KHR_materials_diffuse_transmission",
        "KHR_materials_dispersion",
        "KHR_materials_emissive_strength",
        "KHR_materials_ior",
        "KHR_materials_iridescence",
        "KHR_materials_pbrSpecularGlossiness",
        "KHR_materials_sheen",
        "KHR_materials_specular",
        "KHR_materials_transmission",
        "KHR_materials_unlit",
        "KHR_materials_volume",
        "KHR_mesh_quantization",
        "KHR_texture_basisu",
        "KHR_texture_transform",
        "KHR_xmp_json_ld",
        "MSFT_texture_dds",
    }
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An index.

    Attributes:
        owner: Array and index of the entry that holds it; None for the document itself.
        array: The array it points into.
        holder: The JSON object or array the index stands in.
        key: Where in ``holder``.
    """

    owner: tuple[str, int] | None
    array: str
    holder: Any
    key: str | int

    @property
    def index(self) -> int:
        """What it points at."""
        return int(self.holder[self.key])


def movable(json: JsonObject) -> bool:
    """Tell whether every index of the document is known, so that entries may be removed."""
    return extensions_in(json) <= _UNDERSTOOD


def extensions_in(value: object) -> set[str]:
    """Return every extension that is present anywhere, whatever ``extensionsUsed`` claims."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            extensions = value.get("extensions")
            found.update(extensions if isinstance(extensions, dict) else ())
            waiting += [member for key, member in value.items() if key != "extras"]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            waiting += value
    return found


def references(json: JsonObject) -> Iterator[Reference]:
    """Yield every index of the core and of the extensions that are understood."""
    if "scene" in json:
        yield Reference(None, "scenes", json, "scene")
    for array, reader in _READERS.items():
        for number, entry in enumerate(json.get(array, [])):
            for target, holder, key in reader(entry):
                yield Reference((array, number), target, holder, key)


_Found = tuple[str, Any, str | int]


def _member(target: str, holder: JsonObject, *keys: str) -> Iterator[_Found]:
    for key in keys:
        if key in holder:
            yield target, holder, key


def _all(target: str, holder: Any) -> Iterator[_Found]:  # noqa: ANN401  # JSON.
    keys = holder if isinstance(holder, dict) else range(len(holder))
    for key in keys:
        yield target, holder, key


def _extension(entry: JsonObject, *names: str) -> Iterator[JsonObject]:
    extensions = entry.get("extensions", {})
    yield from (extensions[name] for name in names if name in extensions)


def _in_accessor(entry: JsonObject) -> Iterator[_Found]:
    yield from _member("bufferViews", entry, "bufferView")
    for part in ("indices", "values"):
        yield from _member("bufferViews", entry.get("sparse", {}).get(part, {}), "bufferView")


def _in_view(entry: JsonObject) -> Iterator[_Found]:
    yield from _member("buffers", entry, "buffer")
    for extension in _extension(entry, *_MESHOPT):
        yield from _member("buffers", extension, "buffer")


def _in_image(entry: JsonObject) -> Iterator[_Found]:
    yield from _member("bufferViews", entry, "bufferView")


def _in_texture(entry: JsonObject) -> Iterator[_Found]:
    yield from _member("samplers", entry, "sampler")
    yield from _member("images", entry, "source")
    for extension in entry.get("extensions", {}).values():
        if isinstance(extension, dict):
            yield from _member("images", extension, "source")


def _in_material(entry: JsonObject) -> Iterator[_Found]:
    for extension in _extension(entry, _LOD):
        yield from _all("materials", extension.get("ids", []))
    yield from _in_slots(entry)


def _in_slots(fields: JsonObject) -> Iterator[_Found]:
    for key, value in fields.items():
        if not isinstance(value, dict) or key == "extras":
            continue
        if key.endswith("Texture") and is_integer(value.get("index")):
            yield "textures", value, "index"
        else:
            yield from _in_slots(value)


def _in_mesh(entry: JsonObject) -> Iterator[_Found]:
    for primitive in entry.get("primitives", []):
        yield from _all("accessors", primitive.get("attributes", {}))
        for target in primitive.get("targets", []):
            yield from _all("accessors", target)
        yield from _member("accessors", primitive, "indices")
        yield from _member("materials", primitive, "material")
        for draco in _extension(primitive, _DRACO):
            yield from _member("bufferViews", draco, "bufferView")
        for variants in _extension(primitive, _VARIANTS):
            for mapping in variants.get("mappings", []):
                yield from _member("materials", mapping, "material")


def _in_node(entry: JsonObject) -> Iterator[_Found]:
    yield from _member("meshes", entry, "mesh")
    yield from _member("skins", entry, "skin")
    yield from _member("cameras", entry, "camera")
    yield from _all("nodes", entry.get("children", []))
    for instancing in _extension(entry, _INSTANCING):
        yield from _all("accessors", instancing.get("attributes", {}))
    for lod in _extension(entry, _LOD):
        yield from _all("nodes", lod.get("ids", []))


def _in_skin(entry: JsonObject) -> Iterator[_Found]:
    yield from _all("nodes", entry.get("joints", []))
    yield from _member("nodes", entry, "skeleton")
    yield from _member("accessors", entry, "inverseBindMatrices")


def _in_animation(entry: JsonObject) -> Iterator[_Found]:
    for sampler in entry.get("samplers", []):
        yield from _member("accessors", sampler, "input", "output")
    for channel in entry.get("channels", []):
        yield from _member("nodes", channel.get("target", {}), "node")


def _in_scene(entry: JsonObject) -> Iterator[_Found]:
    yield from _all("nodes", entry.get("nodes", []))


_READERS = {
    "accessors": _in_accessor,
    "animations": _in_animation,
    "bufferViews": _in_view,
    "images": _in_image,
    "materials": _in_material,
    "meshes": _in_mesh,
    "nodes": _in_node,
    "scenes": _in_scene,
    "skins": _in_skin,
    "textures": _in_texture,
}
