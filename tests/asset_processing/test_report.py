"""The report: complete, readable again, and true of the delivered bytes."""

from __future__ import annotations

import hashlib
import json
import pickle
from typing import TYPE_CHECKING

import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from asset_processing import Check, Pivot, ProcessingOptions, Report, process
from asset_processing.operations.decimation_check import check_decimation

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb, GlbBuilder

_EVERYTHING = ProcessingOptions(
    height_m=1.5, pivot=Pivot.BASE, max_triangles=11, max_vertices=8, decimation_target=8
)


def _textured(glb: type[Glb]) -> GlbBuilder:
    built = glb.box()
    built.add("textures", source=built.image(glb.png(4, 3), "image/jpeg"))
    built.add("materials", name="Skin", normalTexture={"index": 0}, doubleSided=True)
    return built


def test_everything_that_was_asked_has_a_line_with_what_was_measured(glb: type[Glb]) -> None:
    source = _textured(glb).to_bytes()
    report = process(source, _EVERYTHING).report
    lines = {check.name: (check.asked, check.passed) for check in report.checks}
    assert lines == {
        "height_m": (1.5, True),
        "pivot": (0, True),
        "max_triangles": (11, False),
        "max_vertices": (8, True),
        "decimation_target": (8, True),
        "textures": (1, True),
    }
    assert not report.passed
    assert report.source.sha256 == hashlib.sha256(source).hexdigest()
    assert report.result.sha256 != report.source.sha256
    assert report.source.generator == "a test"
    assert report.materials[0].texture_slots == ("normalTexture",)
    assert report.materials[0].double_sided
    assert report.bounds_before.size == pytest.approx((1, 2, 3))
    assert report.bounds_after.size == pytest.approx((0.75, 1.5, 2.25))


def test_counts_are_as_stored_and_positions_are_welded_within_a_mesh(glb: type[Glb]) -> None:
    built = glb.builder()
    mesh = built.mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]])
    primitives = built.json["meshes"][0]["primitives"]
    primitives.append({"attributes": {"POSITION": 0}, "mode": 0})
    built.scene(*(built.add("nodes", mesh=mesh) for _ in range(3)))
    counts = process(built.to_bytes()).report.counts
    assert (counts.triangles, counts.triangles_drawn) == (2, 6)
    assert (counts.gpu_vertices, counts.unique_positions) == (12, 4)
    assert (counts.meshes, counts.primitives, counts.nodes) == (1, 2, 3)


def test_a_report_survives_json_and_pickling(glb: type[Glb]) -> None:
    report = process(_textured(glb).to_bytes(), _EVERYTHING).report
    assert Report.from_json(report.to_json()) == report
    assert Report.from_json(report.to_json()).to_json() == report.to_json()
    assert pickle.loads(pickle.dumps(report)) == report  # noqa: S301  # Our own bytes.


def test_json_that_is_no_report_is_a_value_error(glb: type[Glb]) -> None:
    good = json.loads(process(glb.box().to_bytes()).report.to_json())
    bad: list[object] = [[], {}, None, {**good, "counts": None}, {**good, "checks": [{}]}]
    bad += [{**good, "bounds_after": {"min": [0, 0], "max": [1, 1, 1]}}]
    bad += [{**good, "issues": [{"code": "NO_SUCH", "severity": "info", "message": ""}]}]
    for value in bad:
        with pytest.raises(ValueError, match=r"report|NO_SUCH"):
            Report.from_json(json.dumps(value))
    assert Report.from_json(json.dumps({**good, "unknown": 1})).counts.triangles == 12


def test_the_text_says_every_line_and_every_issue(glb: type[Glb]) -> None:
    report = process(_textured(glb).to_bytes(), _EVERYTHING).report
    text = report.to_text()
    assert "FAILED    max_triangles: 12 triangles as stored, at most 11 asked" in text
    assert "normal.png 4x3" in text
    assert all(check.detail in text for check in report.checks)
    assert all(issue.message in text for issue in report.issues)


@given(target=st.integers(1, 10**7))
def test_decimation_compares_unique_positions_with_a_tenth_to_spare(
    glb: type[Glb], target: int
) -> None:
    """A box torn apart for its texture has 36 vertices, and 8 places still."""
    built = glb.builder()
    box = trimesh.creation.box()
    built.scene(built.add("nodes", mesh=built.mesh(box.vertices[box.faces].reshape(-1, 3))))
    counts = process(built.to_bytes()).report.counts
    check = check_decimation(counts, target=target)
    assert check.passed == (counts.unique_positions <= target * 1.1)
    assert check.measured == counts.unique_positions == 8
    for figure in ("8 unique positions", "36 GPU vertices", "12 triangles"):
        assert figure in check.detail


def test_what_cannot_be_told_does_not_fail_the_report(glb: type[Glb]) -> None:
    """A compressed mesh has vertices, but nobody knows how many places they are at."""
    built = glb.box()
    extension = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}}
    built.json["meshes"][0]["primitives"][0]["extensions"] = extension
    report = process(built.to_bytes(), ProcessingOptions(decimation_target=1)).report
    (check,) = (check for check in report.checks if check.name == "decimation_target")
    assert isinstance(check, Check)
    assert (check.passed, check.measured) == (None, None)
    assert report.passed
