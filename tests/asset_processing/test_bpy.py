"""Blender itself, as a Python module, imports what every profile delivers; size measured there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asset_processing import (
    Decode,
    EngineProfile,
    InvalidOption,
    Pivot,
    ProcessingOptions,
    process,
)
from asset_processing.document import GlbDocument

if TYPE_CHECKING:
    from asset_processing import ProcessedAsset

_ROOT = Path(__file__).parents[2]
_SAMPLES = Path(os.environ.get("ASSETWRIGHT_SAMPLES", _ROOT.parent / "shared" / "samples"))
_HEIGHT_M = 1.8


def _interpreters() -> list[Path]:
    """Pythons with bpy; ``make test-blender`` names them. One run of all takes minutes."""
    named = os.environ.get("ASSETWRIGHT_TEST_BPY", "")
    return [Path(path).absolute() for path in named.split(os.pathsep) if path]


@pytest.fixture(
    scope="module", params=_interpreters() or [None], ids=lambda path: path and path.parts[-3]
)
def blender(request: pytest.FixtureRequest) -> Path:
    found: Path | None = request.param
    if found is None:
        pytest.skip("needs Pythons with bpy in ASSETWRIGHT_TEST_BPY: run make test-blender")
    if not _SAMPLES.is_dir():
        pytest.skip("needs shared/samples or ASSETWRIGHT_SAMPLES")
    return found


def _processed(source: bytes, profile: EngineProfile) -> ProcessedAsset:
    options = {"engine_profile": profile, "pivot": Pivot.BASE}
    if profile is EngineProfile.GENERIC:  # It leaves compressed what not every Blender reads.
        options["decode"] = Decode.ALWAYS
    try:
        return process(source, ProcessingOptions(height_m=_HEIGHT_M, **options))  # type: ignore[arg-type]
    except InvalidOption:  # A flat sample has no height to scale.
        return process(source, ProcessingOptions(longest_side_m=_HEIGHT_M, **options))  # type: ignore[arg-type]


def _at_rest(glb: bytes) -> bytes:
    """The file without its animations: Blender would show their first frame, bounds are at rest."""
    document = GlbDocument.parse(glb)
    if "animations" in document.json:
        del document.edit_json()["animations"]
    return document.to_bytes()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("profile", list(EngineProfile), ids=lambda profile: profile.name)
def test_blender_imports_every_sample_at_its_size_and_pivot(
    blender: Path, profile: EngineProfile, tmp_path: Path
) -> None:
    """Blender is Z up: its (x, y, z) are glTF's (x, -z, y)."""
    assets = {}
    for path in sorted(_SAMPLES.glob("*.glb")):
        assets[path.name] = _processed(path.read_bytes(), profile)
        (tmp_path / path.name).write_bytes(_at_rest(assets[path.name].glb))
    script = Path(__file__).with_name("measure_in_bpy.py")
    out = tmp_path / "measured"
    done = subprocess.run(  # noqa: S603  # Ours.
        [str(blender), str(script), str(out), *(str(tmp_path / name) for name in assets)],
        capture_output=True,
        text=True,
        check=False,
        timeout=580,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    wrong = {}
    for line in out.read_text().splitlines():
        found = json.loads(line)
        bounds = assets[found["name"]].report.bounds_after
        if "error" in found:
            wrong[found["name"]] = found["error"]
            continue
        (x, y, z), (right, back, top) = found["min"], found["max"]
        measured = (x, z, -back, right, top, -y)
        tolerance = 1e-3 * max(bounds.size)
        off = max(abs(a - b) for a, b in zip(measured, (*bounds.min, *bounds.max), strict=True))
        if off > tolerance:
            wrong[found["name"]] = f"off by {off:.4f} of {max(bounds.size):.4f} m"
    assert wrong == {}
