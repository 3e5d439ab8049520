"""The whole of it: GLB bytes and options in, GLB bytes, textures and a report out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asset_processing.checks import run_checks
from asset_processing.document import GlbDocument
from asset_processing.errors import InvalidOption
from asset_processing.findings import find_issues
from asset_processing.geometry import Bounds, bounds_of
from asset_processing.limits import DEFAULT, Limits
from asset_processing.measure import count, describe_file, describe_materials
from asset_processing.operations.pivot import set_pivot
from asset_processing.operations.scale import scale, wanted_factor
from asset_processing.operations.textures import Texture, extract_textures
from asset_processing.options import ProcessingOptions
from asset_processing.report import FileFacts, Report
from asset_processing.topology import measure_topology

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["ProcessedAsset", "process", "process_file"]

_NOTHING_ASKED = ProcessingOptions()


@dataclass(frozen=True, slots=True)
class ProcessedAsset:
    """What `process` delivers.

    Attributes:
        glb: The file. Where nothing had to change it is the source, byte for byte.
        textures: Its images, as views into ``glb``; empty where they were not asked for.
        report: What was measured on ``glb``.
    """

    glb: bytes
    textures: tuple[Texture, ...]
    report: Report


def process(
    source: bytes | memoryview,
    options: ProcessingOptions = _NOTHING_ASKED,
    *,
    limits: Limits = DEFAULT,
) -> ProcessedAsset:
    """Scale, then set the pivot, then measure what came out.

    Only what an operation concerns changes; everything else comes out byte for byte. The same
    source and options always give the same bytes.

    Args:
        source: A GLB.
        options: What to do; the default changes nothing and measures.
        limits: What the file may ask for.

    Raises:
        InvalidOption: The options are wrong, or cannot be fulfilled with this file.
        InvalidGlb: The file breaks glTF 2.0, refers outside of itself, or has no geometry.
        GlbTooLarge: The file is over a limit.
        UnsupportedGlb: The file needs something this release does not do.
    """
    _refuse_violations(options)
    document = GlbDocument.parse(source, limits)
    facts = describe_file(document, source)
    before = bounds_of(document)
    reasons = (
        scale(document, factor=wanted_factor(document, options)),
        set_pivot(document, pivot=options.pivot),
    )
    glb = document.to_bytes()
    result = GlbDocument.parse(glb, limits)
    return _measured(
        result,
        glb,
        source=facts,
        before=before,
        options=options,
        moved_by_node=next(filter(None, reasons), None),
    )


def _refuse_violations(options: ProcessingOptions) -> None:
    violations = options.violations()
    if violations:
        raise InvalidOption(
            " ".join(violation.message for violation in violations),
            field=",".join(dict.fromkeys(violation.field for violation in violations)),
        )


def _measured(
    document: GlbDocument,
    glb: bytes,
    *,
    source: FileFacts,
    before: Bounds,
    options: ProcessingOptions,
    moved_by_node: str | None,
) -> ProcessedAsset:
    """Measure the delivered bytes, which were read again for this."""
    textures = extract_textures(document)
    after = bounds_of(document)
    counts = count(document)
    topology = measure_topology(document)
    report = Report(
        source=source,
        result=describe_file(document, glb),
        bounds_before=before,
        bounds_after=after,
        counts=counts,
        topology=topology,
        materials=describe_materials(document),
        textures=tuple(texture.facts for texture in textures),
        checks=run_checks(options, before=before, after=after, counts=counts, textures=textures),
        issues=find_issues(
            document, textures=textures, topology=topology, moved_by_node=moved_by_node
        ),
    )
    return ProcessedAsset(glb, textures if options.extract_textures else (), report)


def process_file(
    source: Path,
    destination: Path,
    options: ProcessingOptions = _NOTHING_ASKED,
    *,
    limits: Limits = DEFAULT,
) -> Report:
    """Do `process` from file to folder; what a worker process runs.

    Writes ``asset.glb``, ``report.json`` and the images in ``textures/``, each file whole or not
    at all. The folder is made where it is missing; other files in it stay.

    Args:
        source: A GLB.
        destination: The folder.
        options: As for `process`.
        limits: As for `process`.

    Raises:
        ProcessingError: As `process` does; then nothing was written.
        OSError: A file could not be read or written.
    """
    asset = process(source.read_bytes(), options, limits=limits)
    folder = destination / "textures"
    (folder if asset.textures else destination).mkdir(parents=True, exist_ok=True)
    for texture in asset.textures:
        _write_whole(folder / texture.facts.file_name, [texture.data])
    _write_whole(destination / "asset.glb", [asset.glb])
    _write_whole(destination / "report.json", [asset.report.to_json().encode()])
    return asset.report


def _write_whole(path: Path, pieces: Sequence[bytes | memoryview]) -> None:
    """Write beside the file, then take its place: a reader sees the old one or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.writelines(pieces)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
