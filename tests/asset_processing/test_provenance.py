"""Where an asset comes from is written where programs leave it, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asset_processing import IssueCode, ProcessingOptions, Provenance, process
from asset_processing.document import GlbDocument

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb

_KNOWN = Provenance(
    model="pixal3d",
    seed=0,
    prompt_sha256="ab" * 32,
    license_note="Check the model's terms.",
    cost_micros=150_000,
    currency_code="USD",
)


def test_what_is_known_is_written_beside_what_was_there(glb: type[Glb]) -> None:
    built = glb.box()
    built.json["asset"]["extras"] = {"tool": {"kept": [1]}}
    asset = process(built.to_bytes(), ProcessingOptions(provenance=_KNOWN))
    assert GlbDocument.parse(asset.glb).json["asset"] == {
        "version": "2.0",
        "generator": "a test",
        "extras": {
            "tool": {"kept": [1]},
            "assetwright": {
                "model": "pixal3d",
                "seed": 0,
                "prompt_sha256": "ab" * 32,
                "license_note": "Check the model's terms.",
                "cost_micros": 150_000,
                "currency_code": "USD",
            },
        },
    }


def test_nothing_known_or_nothing_new_changes_no_byte(glb: type[Glb]) -> None:
    source = glb.box().to_bytes()
    assert process(source, ProcessingOptions(provenance=Provenance())).glb == source
    once = process(source, ProcessingOptions(provenance=_KNOWN)).glb
    assert process(once, ProcessingOptions(provenance=_KNOWN)).glb == once


def test_extras_that_are_no_object_stay(glb: type[Glb]) -> None:
    built = glb.box()
    built.json["asset"]["extras"] = "mine"
    asset = process(built.to_bytes(), ProcessingOptions(provenance=_KNOWN))
    assert asset.glb == built.to_bytes()
    assert IssueCode.PROVENANCE_NOT_WRITTEN in {issue.code for issue in asset.report.issues}


def test_every_sample_differs_in_that_member_alone(sample: Path) -> None:
    source = GlbDocument.parse(sample.read_bytes()).json
    asset = process(sample.read_bytes(), ProcessingOptions(provenance=_KNOWN))
    result = GlbDocument.parse(asset.glb).json
    extras = result["asset"]["extras"]
    assert extras.pop("assetwright")["model"] == "pixal3d"
    if not extras:
        del result["asset"]["extras"]
    assert result == source
