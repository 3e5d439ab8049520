"""Look through a document for what is worth knowing: the issues of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asset_processing.issues import ISSUES, Issue, IssueCode
from asset_processing.layout import COMPRESSED_VIEW
from asset_processing.measure import all_primitives
from asset_processing.operations.textures import Texture, texture_slots
from asset_processing.overlaps import first_overlap
from asset_processing.primitives import DRACO, Primitive
from asset_processing.structure import PER_INSTANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asset_processing.document import GlbDocument
    from asset_processing.pipeline import Finding
    from asset_processing.topology import Topology

__all__ = ["find_issues"]

_KNOWN = {
    *COMPRESSED_VIEW,
    DRACO,
    PER_INSTANCE,
    "EXT_texture_webp",
    "KHR_lights_punctual",
    "KHR_materials_anisotropy",
    "KHR_materials_clearcoat",
    "KHR_materials_dispersion",
    "KHR_materials_emissive_strength",
    "KHR_materials_ior",
    "KHR_materials_iridescence",
    "KHR_materials_pbrSpecularGlossiness",
    "KHR_materials_sheen",
    "KHR_materials_specular",
    "KHR_materials_transmission",
    "KHR_materials_unlit",
    "KHR_materials_variants",
    "KHR_materials_volume",
    "KHR_mesh_quantization",
    "KHR_texture_basisu",
    "KHR_texture_transform",
}
_FLOAT = 5126
_TRIANGLES = 4

_Finding = tuple[IssueCode, str | None, str]  # Code, pointer, and what the message adds.


def find_issues(
    document: GlbDocument,
    *,
    textures: tuple[Texture, ...],
    topology: Topology | None,
    moved_by_node: str | None,
    added: Sequence[Finding] = (),
) -> tuple[Issue, ...]:
    """Return one issue for each code that applies, in the order of `ISSUES`.

    Args:
        document: The delivered file.
        textures: Its images.
        topology: Its surface, where that was measured.
        moved_by_node: Why the operations added a node; None where they did not.
        added: What the operations found.
    """
    found: dict[IssueCode, list[_Finding]] = {}
    for finding in (
        *_in_file(document),
        *_in_primitives(document),
        *_in_textures(document, textures),
        *_in_topology(document, topology),
        *((finding.code, finding.pointer, finding.addition) for finding in added),
    ):
        found.setdefault(finding[0], []).append(finding)
    if moved_by_node is not None:
        code = IssueCode.TRANSFORM_IN_ROOT_NODE
        found[code] = [(code, None, f"Baking was not possible: {moved_by_node}.")]
    return tuple(_issue(code, found[code]) for code in ISSUES if code in found)


def _issue(code: IssueCode, findings: list[_Finding]) -> Issue:
    severity, meaning = ISSUES[code]
    _, pointer, addition = findings[0]
    parts = [meaning, addition]
    if len(findings) > 1:
        parts.append(f"Found {len(findings)} times, first at {pointer}.")
    message = " ".join(part for part in parts if part)
    return Issue(code=code, severity=severity, message=message, pointer=pointer)


def _in_file(document: GlbDocument) -> Iterator[_Finding]:
    for number, name in enumerate(document.json.get("extensionsRequired", [])):
        if name not in _KNOWN:
            pointer = f"/extensionsRequired/{number}"
            yield IssueCode.UNKNOWN_REQUIRED_EXTENSION, pointer, f"It is {name}."
    overlap = first_overlap(document)
    if overlap is not None:
        addition = f"The first shares them with /accessors/{overlap[0]}."
        yield IssueCode.OVERLAPPING_VIEWS, f"/accessors/{overlap[1]}", addition
    scenes = len(document.json.get("scenes", []))
    if scenes == 0:
        yield IssueCode.NO_SCENE, None, ""
    if scenes > 1:
        yield IssueCode.MULTIPLE_SCENES, "/scenes", f"There are {scenes}."


def _in_primitives(document: GlbDocument) -> Iterator[_Finding]:
    needs = [_needed_uvs(material) for material in document.json.get("materials", [])]
    for primitive in all_primitives(document):
        position = document.accessors[primitive.position]
        if primitive.compressed:
            yield IssueCode.GEOMETRY_COMPRESSED, primitive.pointer, ""
        if position.component_type != _FLOAT:
            yield IssueCode.QUANTIZED, f"/accessors/{primitive.position}", ""
        if primitive.mode >= _TRIANGLES:
            yield from _in_triangles(primitive, needs)


def _in_triangles(primitive: Primitive, needs: list[set[str]]) -> Iterator[_Finding]:
    attributes = primitive.values["attributes"]
    if "NORMAL" not in attributes:
        yield IssueCode.NO_NORMALS, primitive.pointer, ""
    material = primitive.values.get("material")
    if material is not None and not needs[material] <= set(attributes):
        yield IssueCode.NO_UVS, primitive.pointer, ""


def _needed_uvs(material: dict[str, object]) -> set[str]:
    return {f"TEXCOORD_{texture.get('texCoord', 0)}" for _, texture in texture_slots(material)}


def _in_textures(document: GlbDocument, textures: tuple[Texture, ...]) -> Iterator[_Finding]:
    for texture in textures:
        facts = texture.facts
        pointer = f"/images/{facts.image}"
        declared = document.images[facts.image].declared
        if facts.width is None:
            yield IssueCode.IMAGE_UNREADABLE, pointer, ""
        elif declared is not None and declared != facts.media_type:
            addition = f"It says {declared!r} and is {facts.media_type}."
            yield IssueCode.MIME_MISMATCH, pointer, addition
        if facts.media_type == "image/webp":
            yield IssueCode.TEXTURE_WEBP, pointer, ""
        if facts.media_type == "image/ktx2":
            yield IssueCode.TEXTURE_KTX2, pointer, ""
        if any(side is not None and side & (side - 1) for side in (facts.width, facts.height)):
            addition = f"It has {facts.width} x {facts.height} pixels."
            yield IssueCode.NON_POWER_OF_TWO, pointer, addition
        if not facts.usages:
            yield IssueCode.IMAGE_UNUSED, pointer, ""


def _in_topology(document: GlbDocument, topology: Topology | None) -> Iterator[_Finding]:
    if topology is None:
        triangles = [p for p in all_primitives(document) if p.mode >= _TRIANGLES]
        if triangles and not any(primitive.compressed for primitive in triangles):
            yield IssueCode.TOPOLOGY_SKIPPED, None, ""
        return
    if topology.degenerate_faces:
        yield IssueCode.DEGENERATE_FACES, None, f"There are {topology.degenerate_faces}."
    if topology.non_manifold_edges:
        yield IssueCode.NON_MANIFOLD, None, f"There are {topology.non_manifold_edges}."
    if not topology.watertight:
        yield IssueCode.NOT_WATERTIGHT, None, f"It has {topology.boundary_edges} open edges."
