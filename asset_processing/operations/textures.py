"""Hand out every image of a document as the file it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from asset_processing._fields import JsonObject, is_integer
from asset_processing.pixels import DECODABLE, has_alpha_channel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asset_processing.document import GlbDocument, Image

__all__ = [
    "SRGB_SLOTS",
    "AlphaUse",
    "ColorSpace",
    "Texture",
    "TextureFacts",
    "TextureRole",
    "Usage",
    "extract_textures",
    "image_usages",
    "texture_images",
    "texture_slots",
]


class TextureRole(Enum):
    """What a material uses an image for."""

    BASE_COLOR = "base_color"
    METALLIC_ROUGHNESS = "metallic_roughness"  # Roughness in green, metalness in blue.
    NORMAL = "normal"
    OCCLUSION = "occlusion"  # In red.
    EMISSIVE = "emissive"
    OTHER = "other"  # An extension's; the slot says which.


class ColorSpace(Enum):
    """How the pixels are encoded (glTF 2.0, 3.9.2)."""

    SRGB = "srgb"
    LINEAR = "linear"


class AlphaUse(Enum):
    """What an alpha channel holds where the model shows it."""

    NONE = "none"  # There is no alpha channel.
    OPAQUE = "opaque"  # It is solid everywhere.
    MASK = "mask"  # Solid or clear, nothing between but smooth edges.
    BLEND = "blend"  # Half-transparent areas.


_ROLES = {
    "pbrMetallicRoughness.baseColorTexture": TextureRole.BASE_COLOR,
    "pbrMetallicRoughness.metallicRoughnessTexture": TextureRole.METALLIC_ROUGHNESS,
    "normalTexture": TextureRole.NORMAL,
    "occlusionTexture": TextureRole.OCCLUSION,
    "emissiveTexture": TextureRole.EMISSIVE,
}
SRGB_SLOTS = frozenset(
    {
        "pbrMetallicRoughness.baseColorTexture",
        "emissiveTexture",
        "KHR_materials_pbrSpecularGlossiness.diffuseTexture",
        "KHR_materials_pbrSpecularGlossiness.specularGlossinessTexture",
        "KHR_materials_sheen.sheenColorTexture",
        "KHR_materials_specular.specularColorTexture",
    }
)
"""Where materials have colours; every other map holds numbers."""

_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/ktx2": ".ktx2",
}
_LONGEST_STEM = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One use of an image by a material.

    Attributes:
        material: Index of the material.
        slot: Where in the material, such as ``normalTexture`` or
            ``KHR_materials_sheen.sheenColorTexture``.
        role: What for.
    """

    material: int
    slot: str
    role: TextureRole


@dataclass(frozen=True, slots=True, kw_only=True)
class TextureFacts:
    """What is known about an image without decoding it.

    Attributes:
        file_name: Safe and unique in this asset, such as ``base_color.png``.
        name: The image's or its texture's name in the file.
        image: Index of the image in the file.
        roles: What materials use it for; several for packed maps, none where nobody uses it.
        usages: Every single use.
        media_type: By its first bytes, whatever the file declares.
        width: Pixels; None where the header cannot be read.
        height: Pixels; None where the header cannot be read.
        color_space: By its first use; None where nobody uses it.
        size_bytes: Length of the encoded image.
        sha256: Of the encoded image, in hexadecimal; None where nobody took it.
        alpha: What its alpha channel holds; None where nobody looked at one it has.
    """

    file_name: str
    name: str | None
    image: int
    roles: tuple[TextureRole, ...]
    usages: tuple[Usage, ...]
    media_type: str
    width: int | None
    height: int | None
    color_space: ColorSpace | None
    size_bytes: int
    sha256: str | None = None
    alpha: AlphaUse | None = None


@dataclass(frozen=True, slots=True)
class Texture:
    """An image as the file has it.

    Attributes:
        facts: What is known about it.
        data: Its encoded bytes, untouched, as a view into the GLB.
    """

    facts: TextureFacts
    data: memoryview


def extract_textures(
    document: GlbDocument,
    *,
    alpha: Mapping[int, AlphaUse] | None = None,
    digests: Mapping[int, str] | None = None,
) -> tuple[Texture, ...]:
    """Return every image once, with all the roles it has; the document does not change.

    Images behind EXT_texture_webp, KHR_texture_basisu and the like are followed, and so are
    their fallbacks. The order is that of the file.

    Args:
        document: The document.
        alpha: What the alpha channels of images hold, as far as somebody looked.
        digests: The images' SHA-256, as far as somebody took them.
    """
    usages = image_usages(document)
    names = _names(document)
    files = _FileNames()
    return tuple(
        _extract(
            document,
            image,
            found,
            name=names.get(image),
            files=files,
            alpha=(alpha or {}).get(image, _alpha_of(document.images[image])),
            digest=(digests or {}).get(image),
        )
        for image, found in usages.items()
    )


def _extract(
    document: GlbDocument,
    index: int,
    usages: list[Usage],
    *,
    name: str | None,
    files: _FileNames,
    alpha: AlphaUse | None,
    digest: str | None,
) -> Texture:
    image = document.images[index]
    roles = tuple(role for role in TextureRole if any(usage.role is role for usage in usages))
    suffix = _SUFFIXES.get(image.header.media_type, ".bin")
    facts = TextureFacts(
        file_name=files.take(_stem(roles, usages), suffix),
        name=name,
        image=index,
        roles=roles,
        usages=tuple(usages),
        media_type=image.header.media_type,
        width=image.header.width,
        height=image.header.height,
        color_space=_color_space(usages),
        size_bytes=len(image.data),
        sha256=digest,
        alpha=alpha,
    )
    return Texture(facts, image.data)


def _alpha_of(image: Image) -> AlphaUse | None:
    """NONE where the first bytes say that there is no alpha channel."""
    readable = image.header.media_type in DECODABLE and image.header.width is not None
    return AlphaUse.NONE if readable and not has_alpha_channel(image) else None


def _color_space(usages: list[Usage]) -> ColorSpace | None:
    if not usages:
        return None
    return ColorSpace.SRGB if usages[0].slot in SRGB_SLOTS else ColorSpace.LINEAR


def _stem(roles: tuple[TextureRole, ...], usages: list[Usage]) -> str:
    """Name the file after its roles; never after text in the GLB that could be a path."""
    if not roles:
        return "unused"
    named = [role.value for role in roles if role is not TextureRole.OTHER]
    if named:
        return "_".join(named)
    slot = usages[0].slot.rpartition(".")[2].removesuffix("Texture")
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", slot).lower()
    return re.sub(r"[^a-z0-9]+", "_", snake).strip("_")[:_LONGEST_STEM] or "other"


class _FileNames:
    """Hands out every name once: ``normal.png``, ``normal_2.png``..."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def take(self, stem: str, suffix: str) -> str:
        wanted = f"{stem}{suffix}"
        name = wanted
        while name in self._taken:
            self._last[wanted] = self._last.get(wanted, 1) + 1
            name = f"{stem}_{self._last[wanted]}{suffix}"
        self._taken.add(name)
        return name


def _names(document: GlbDocument) -> dict[int, str]:
    """The name of each image that has one, else that of the first texture that shows it."""
    found: dict[int, str] = {}
    for texture in reversed(document.json.get("textures", [])):
        if texture.get("name"):
            found.update(dict.fromkeys(texture_images(texture), texture["name"]))
    for index, image in enumerate(document.json.get("images", [])):
        if image.get("name"):
            found[index] = image["name"]
    return found


def image_usages(document: GlbDocument) -> dict[int, list[Usage]]:
    """Every image of the file, in order, with its uses."""
    found: dict[int, list[Usage]] = {image: [] for image in range(len(document.images))}
    textures = document.json.get("textures", [])
    for number, material in enumerate(document.json.get("materials", [])):
        for slot, texture in texture_slots(material):
            role = _ROLES.get(slot, TextureRole.OTHER)
            for image in texture_images(textures[texture["index"]]):
                found[image].append(Usage(material=number, slot=slot, role=role))
    return found


def texture_slots(fields: JsonObject, prefix: str = "") -> Iterator[tuple[str, JsonObject]]:
    """Yield the name and the JSON of every texture a material uses, in the core and extensions."""
    for key, value in fields.items():
        if not isinstance(value, dict) or key == "extras":
            continue
        if key.endswith("Texture") and is_integer(value.get("index")):
            yield prefix + key, value
        else:
            yield from texture_slots(value, prefix if key == "extensions" else f"{prefix}{key}.")


def texture_images(texture: JsonObject) -> list[int]:
    """The images of a texture: its extensions' before the fallback they replace."""
    extensions = [
        value["source"]
        for value in texture.get("extensions", {}).values()
        if isinstance(value, dict) and "source" in value
    ]
    own = [texture["source"]] if "source" in texture else []
    return list(dict.fromkeys([*extensions, *own]))
