"""The whole of it: GLB bytes and options in, GLB bytes, textures and a report out."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asset_processing.checks import run_checks
from asset_processing.document import GlbDocument
from asset_processing.errors import InvalidOption
from asset_processing.findings import find_issues
from asset_processing.geometry import bounds_of
from asset_processing.limits import DEFAULT, Limits
from asset_processing.measure import (
    count,
    describe_file,
    describe_materials,
    describe_memory,
    describe_output,
    digest,
    surface_of,
)
from asset_processing.operations.textures import Texture, extract_textures
from asset_processing.options import ProcessingOptions
from asset_processing.output_steps import embed
from asset_processing.pipeline import STEPS, Work
from asset_processing.report import Report
from asset_processing.topology import measure_topology
from asset_processing.uv import measure_uv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor, Future
    from pathlib import Path

    from asset_processing.document import Bytes
    from asset_processing.outputs import OutputFile

__all__ = ["ProcessedAsset", "process", "process_file"]

_NOTHING_ASKED = ProcessingOptions()


@dataclass(frozen=True, slots=True)
class ProcessedAsset:
    """What `process` delivers.

    Attributes:
        glb: The file. Where nothing had to change it is the source, byte for byte.
        textures: Its images, as views into ``glb``; empty where they were not asked for.
        report: What was measured on ``glb``.
        outputs: Other files that were asked for, in the order they were made.
    """

    glb: bytes
    textures: tuple[Texture, ...]
    report: Report
    outputs: tuple[OutputFile, ...] = ()


def process(
    source: bytes | memoryview,
    options: ProcessingOptions = _NOTHING_ASKED,
    *,
    limits: Limits = DEFAULT,
) -> ProcessedAsset:
    """Do what the options ask for, in the order of `pipeline.STEPS`, then measure what came out.

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
    work = Work(source=source, document=document, options=options, before=bounds_of(document))
    with ThreadPoolExecutor(max_workers=2) as beside:
        source_digest = beside.submit(digest, source)
        for step in STEPS:
            step(work)
        return _measured(work, source_digest, beside)


def _refuse_violations(options: ProcessingOptions) -> None:
    violations = options.violations()
    if violations:
        raise InvalidOption(
            " ".join(violation.message for violation in violations),
            field=",".join(dict.fromkeys(violation.field for violation in violations)),
        )


def _measured(work: Work, source_digest: Future[str], beside: Executor) -> ProcessedAsset:
    """Measure the delivered bytes, which were read again for this.

    Digests, counts and texture coordinates need nothing of one another and of what else is
    measured, and most of their time leaves the interpreter to others: they go on `beside`.
    """
    document, options, glb = work.document, work.options, work.glb
    delivered = document
    if work.shapes:
        delivered = embed(glb, work.shapes, like=document)
        glb = delivered.to_bytes()
    result_digest = beside.submit(digest, glb)
    digests = beside.map(digest, [image.data for image in delivered.images])
    counting = beside.submit(count, document)
    surface = surface_of(document)
    uv = None if surface is None else beside.submit(measure_uv, document, surface)
    after = bounds_of(document)
    topology = None if surface is None else measure_topology(surface)
    textures = extract_textures(delivered, alpha=work.alpha, digests=dict(enumerate(digests)))
    counts = counting.result()
    checks = run_checks(options, before=work.before, after=after, counts=counts, textures=textures)
    report = Report(
        source=describe_file(document, work.source, sha256=source_digest.result()),
        result=describe_file(delivered, glb, sha256=result_digest.result()),
        bounds_before=work.before,
        bounds_after=after,
        counts=counts,
        topology=topology,
        materials=describe_materials(document),
        textures=tuple(texture.facts for texture in textures),
        checks=(*checks, *work.checks),
        issues=find_issues(
            document,
            textures=textures,
            topology=topology,
            moved_by_node=work.moved_by_node,
            added=work.findings,
        ),
        uv=None if uv is None else uv.result(),
        memory=describe_memory(document),
        collision=work.collision,
        outputs=tuple(map(describe_output, work.outputs)),
    )
    kept = textures if options.extract_textures else ()
    return ProcessedAsset(glb, kept, report, tuple(work.outputs))


def process_file(
    source: Path,
    destination: Path,
    options: ProcessingOptions = _NOTHING_ASKED,
    *,
    limits: Limits = DEFAULT,
) -> Report:
    """Do `process` from file to folder; what a worker process runs.

    Writes ``asset.glb``, ``report.json``, the images in ``textures/`` and the other outputs under
    their names, each file whole or not at all. The folder is made where it is missing; other files
    in it stay.

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
    destination.mkdir(parents=True, exist_ok=True)
    for texture in asset.textures:
        _write_whole(destination / "textures" / texture.facts.file_name, [texture.data])
    for output in asset.outputs:
        _write_whole(destination / output.name, [output.data])
    _write_whole(destination / "asset.glb", [asset.glb])
    _write_whole(destination / "report.json", [asset.report.to_json().encode()])
    return asset.report


def _write_whole(path: Path, pieces: Sequence[Bytes]) -> None:
    """Write beside the file, then take its place: a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.writelines(pieces)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
