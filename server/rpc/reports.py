"""The report as a message: the same content as report.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetwright.v1 import report_pb2
from server.rpc.enums import to_wire

if TYPE_CHECKING:
    from asset_processing import (
        Bounds,
        Check,
        CollisionFacts,
        Counts,
        FileFacts,
        Issue,
        MaterialFacts,
        MemoryFacts,
        OutputFacts,
        Report,
        TextureFacts,
        Topology,
        UvFacts,
    )

__all__ = ["report_message"]

_OUTCOMES = {
    True: report_pb2.CHECK_OUTCOME_PASSED,
    False: report_pb2.CHECK_OUTCOME_FAILED,
    None: report_pb2.CHECK_OUTCOME_NOT_MEASURED,
}


def report_message(report: Report) -> report_pb2.Report:
    """Return a report."""
    return report_pb2.Report(
        schema_version=report.schema_version,
        checks=map(_check, report.checks),
        source=_file(report.source),
        result=_file(report.result),
        bounds_before=_bounds(report.bounds_before),
        bounds_after=_bounds(report.bounds_after),
        counts=_counts(report.counts),
        topology=None if report.topology is None else _topology(report.topology),
        materials=map(_material, report.materials),
        textures=map(_texture, report.textures),
        issues=map(_issue, report.issues),
        uv=None if report.uv is None else _uv(report.uv),
        memory=None if report.memory is None else _memory(report.memory),
        collision=None if report.collision is None else _collision(report.collision),
        outputs=map(_output, report.outputs),
    )


def _check(check: Check) -> report_pb2.Check:
    return report_pb2.Check(
        name=check.name,
        outcome=_OUTCOMES[check.passed],
        asked=check.asked,
        measured=check.measured,
        unit=check.unit,
        detail=check.detail,
    )


def _file(facts: FileFacts) -> report_pb2.FileFacts:
    return report_pb2.FileFacts(
        sha256=facts.sha256, size_bytes=facts.size_bytes, generator=facts.generator or ""
    )


def _bounds(bounds: Bounds) -> report_pb2.Bounds:
    return report_pb2.Bounds(min=_vector(bounds.min), max=_vector(bounds.max))


def _vector(values: tuple[float, float, float]) -> report_pb2.Vector3:
    x, y, z = values
    return report_pb2.Vector3(x=x, y=y, z=z)


def _counts(counts: Counts) -> report_pb2.Counts:
    return report_pb2.Counts(
        triangles=counts.triangles,
        triangles_drawn=counts.triangles_drawn,
        gpu_vertices=counts.gpu_vertices,
        unique_positions=counts.unique_positions,
        meshes=counts.meshes,
        primitives=counts.primitives,
        nodes=counts.nodes,
        materials=counts.materials,
        textures=counts.textures,
        images=counts.images,
        skins=counts.skins,
        animations=counts.animations,
        morph_targets=counts.morph_targets,
    )


def _topology(topology: Topology) -> report_pb2.Topology:
    return report_pb2.Topology(
        components=topology.components,
        watertight=topology.watertight,
        degenerate_triangles=topology.degenerate_faces,
        duplicate_triangles=topology.duplicate_faces,
        boundary_edges=topology.boundary_edges,
        non_manifold_edges=topology.non_manifold_edges,
        surface_area_m2=topology.surface_area_m2,
        volume_m3=topology.volume_m3,
    )


def _material(facts: MaterialFacts) -> report_pb2.MaterialFacts:
    return report_pb2.MaterialFacts(
        name=facts.name or "",
        alpha_mode=facts.alpha_mode,
        double_sided=facts.double_sided,
        slots=facts.texture_slots,
    )


def _texture(facts: TextureFacts) -> report_pb2.TextureFacts:
    return report_pb2.TextureFacts(
        roles=map(to_wire, facts.roles),
        file_name=facts.file_name,
        media_type=facts.media_type,
        width=facts.width,
        height=facts.height,
        color_space="" if facts.color_space is None else facts.color_space.value,
        size_bytes=facts.size_bytes,
        sha256=facts.sha256 or "",
        slots=(usage.slot for usage in facts.usages),
        name=facts.name or "",
        alpha=None if facts.alpha is None else to_wire(facts.alpha),
    )


def _uv(facts: UvFacts) -> report_pb2.UvFacts:
    return report_pb2.UvFacts(
        coverage=facts.coverage,
        overlap=facts.overlap,
        outside=facts.outside,
        texel_density_px_m=facts.texel_density_px_m,
    )


def _memory(facts: MemoryFacts) -> report_pb2.MemoryFacts:
    return report_pb2.MemoryFacts(
        geometry_bytes=facts.geometry_bytes,
        textures_bytes=facts.textures_bytes,
        textures_compressed_bytes=facts.textures_compressed_bytes,
    )


def _collision(facts: CollisionFacts) -> report_pb2.CollisionFacts:
    return report_pb2.CollisionFacts(
        kind=to_wire(facts.kind),
        placement=to_wire(facts.placement),
        names=facts.names,
        vertices=facts.vertices,
        triangles=facts.triangles,
        volume_m3=facts.volume_m3,
    )


def _output(facts: OutputFacts) -> report_pb2.OutputFacts:
    return report_pb2.OutputFacts(
        name=facts.name,
        role=to_wire(facts.kind),
        media_type=facts.media_type,
        size_bytes=facts.size_bytes,
        sha256=facts.sha256,
        loses=facts.loses,
    )


def _issue(issue: Issue) -> report_pb2.Issue:
    return report_pb2.Issue(
        code=issue.code.value,
        severity=to_wire(issue.severity),
        message=issue.message,
        pointer=issue.pointer or "",
    )
