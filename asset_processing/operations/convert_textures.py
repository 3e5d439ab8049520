"""Make images smaller, or of a type that an engine reads. What need not change stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asset_processing.operations.resize import Filtering, fitted_size, resize
from asset_processing.operations.textures import SRGB_SLOTS, Usage, image_usages, texture_images
from asset_processing.pixels import Pixels, Undecodable, decode, encode, is_lossless

if TYPE_CHECKING:
    from asset_processing.document import GlbDocument

__all__ = ["NotConverted", "Wanted", "convert_textures"]

_WEBP = "EXT_texture_webp"
_SOLID = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What images shall be.

    Attributes:
        max_size_px: The longest side, in pixels; None for any.
        media_type: What every image becomes; None for what it is, where that is accepted.
        accepted: The types that may stay where ``media_type`` is None.
        otherwise: What images of other types become.
    """

    max_size_px: int | None
    media_type: str | None
    accepted: frozenset[str]
    otherwise: str

    def type_for(self, media_type: str) -> str:
        """Return what an image of a type becomes."""
        if self.media_type is not None:
            return self.media_type
        return media_type if media_type in self.accepted else self.otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class NotConverted:
    """An image that did not become what was wanted.

    Attributes:
        image: Index of the image.
        reason: What it is instead, and why.
    """

    image: int
    reason: str


def convert_textures(document: GlbDocument, wanted: Wanted) -> list[NotConverted]:
    """Change the images that are too large or of the wrong type, and the references to them.

    A WebP image with a fallback that is accepted is left to its fallback. Data and transparent
    images never become JPEG but PNG. KTX2 and 16-bit images stay as they are.

    Returns:
        The images that are not what was wanted.
    """
    left = _use_fallbacks(document, wanted)
    usages = image_usages(document)
    refused = []
    changed = False
    for index in range(len(document.images)):
        if index in left:
            continue
        before = document.images[index]
        reason = _convert(document, index, usages.get(index, []), wanted)
        changed = changed or document.images[index] is not before
        if reason:
            refused.append(NotConverted(image=index, reason=reason))
    if changed:
        _point_to_webp(document)
    return refused


def _convert(document: GlbDocument, index: int, usages: list[Usage], wanted: Wanted) -> str | None:
    """Change one image if it must; return why it is not what was wanted, if it is not."""
    image = document.images[index]
    header = image.header
    media_type = wanted.type_for(header.media_type)
    if header.width is None or header.height is None:
        return None if media_type == header.media_type else "it cannot be read, so that it stays"
    size = header.width, header.height
    if wanted.max_size_px is not None:
        size = fitted_size(*size, longest=wanted.max_size_px)
    resized = size != (header.width, header.height)
    if media_type == header.media_type and not resized:
        return None
    filtering = filtering_for(document, usages)
    reason = None
    try:
        if media_type == "image/jpeg" and filtering in (Filtering.DATA, Filtering.NORMAL):
            reason = "JPEG would damage data, so that it is PNG"
            pixels = decode(image) if resized or header.media_type != "image/png" else None
        else:
            pixels = decode(image)
            if media_type == "image/jpeg" and _is_transparent(pixels):
                reason = "JPEG has no alpha, so that it is PNG"
    except Undecodable as exc:
        return f"{exc}, so that it stays {header.media_type}"
    media_type = "image/png" if reason else media_type
    if pixels is None or (media_type == header.media_type and not resized):
        return reason
    if resized:
        pixels = resize(pixels, width=size[0], height=size[1], filtering=filtering)
    if media_type == "image/jpeg":
        pixels = pixels[..., :3].copy()
    is_data = filtering in (Filtering.DATA, Filtering.NORMAL)
    lossless = is_lossless(image) and (is_data or header.media_type == "image/webp")
    data = encode(pixels, media_type=media_type, lossless=lossless)
    document.replace_image(index, data, media_type=media_type)
    return reason


def filtering_for(document: GlbDocument, usages: list[Usage]) -> Filtering:
    """Return how an image with these uses is averaged; the first use decides."""
    if not usages:
        return Filtering.COLOR
    slot = usages[0].slot.rpartition(".")[2]
    if slot.endswith(("normalTexture", "NormalTexture")):
        return Filtering.NORMAL
    if usages[0].slot not in SRGB_SLOTS:
        return Filtering.DATA
    materials = document.json["materials"]
    covers = any(
        usage.slot == "pbrMetallicRoughness.baseColorTexture"
        and materials[usage.material].get("alphaMode", "OPAQUE") != "OPAQUE"
        for usage in usages
    )
    return Filtering.COVERED_COLOR if covers else Filtering.COLOR


def _is_transparent(pixels: Pixels) -> bool:
    return pixels.shape[2] == 4 and bool((pixels[..., 3] < _SOLID).any())  # noqa: PLR2004


def _use_fallbacks(document: GlbDocument, wanted: Wanted) -> set[int]:
    """Drop WebP images that the engine does not read where the file brings another.

    Returns:
        The images that no texture names any more.
    """
    if wanted.media_type is not None or "image/webp" in wanted.accepted:
        return set()
    dropped: set[int] = set()
    for number, texture in enumerate(document.json.get("textures", [])):
        webp = texture.get("extensions", {}).get(_WEBP, {}).get("source")
        if webp is None or "source" not in texture:
            continue
        if document.images[texture["source"]].header.media_type in wanted.accepted:
            _remove_webp(document, number)
            document.drop("images", webp)
            dropped.add(webp)
    if dropped:
        _declare(document)
    return dropped - {
        image for texture in document.json.get("textures", []) for image in texture_images(texture)
    }


def _point_to_webp(document: GlbDocument) -> None:
    """Let textures name their image where its type belongs (EXT_texture_webp)."""
    for number in range(len(document.json.get("textures", []))):
        texture = document.edit_json()["textures"][number]
        webp = texture.get("extensions", {}).get(_WEBP, {}).get("source")
        if webp is not None and document.images[webp].header.media_type != "image/webp":
            old = texture.get("source")
            texture["source"] = webp
            _remove_webp(document, number)
            if old not in (None, webp):
                document.drop("images", old)
        source = texture.get("source")
        if source is not None and document.images[source].header.media_type == "image/webp":
            del texture["source"]
            extension = texture.setdefault("extensions", {}).setdefault(_WEBP, {})
            if extension.setdefault("source", source) != source:
                document.drop("images", source)
    _declare(document)


def _remove_webp(document: GlbDocument, number: int) -> None:
    texture = document.edit_json()["textures"][number]
    del texture["extensions"][_WEBP]
    if not texture["extensions"]:
        del texture["extensions"]


def _declare(document: GlbDocument) -> None:
    """Say whether EXT_texture_webp is used, and required: without a fallback it is."""
    textures = [
        texture
        for texture in document.json.get("textures", [])
        if _WEBP in texture.get("extensions", {})
    ]
    document.disuse_extension(_WEBP)
    if textures:
        required = any("source" not in texture for texture in textures)
        document.use_extension(_WEBP, required=required)
