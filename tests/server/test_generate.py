"""The main job through the real server, the real gateway path and the sandbox."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from assetwright.v1 import asset_pb2, job_pb2, processing_pb2, report_pb2
from assetwright.v1 import generation_service_pb2 as pb
from server.sandbox import Fault, FaultKind, Place
from tests.server.house import House, charge, download, end_of, kinds, reason, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., pb.GenerateRequest]

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_picture_becomes_a_checked_glb(house: House, request_for: Make) -> None:
    """Sizes and hashes are compared with the bytes that arrive, the report with what was asked."""
    options = processing_pb2.ProcessingOptions(
        height_m=1.5, pivot=processing_pb2.PIVOT_BASE, max_triangles=5000
    )
    events = await house.generate(request_for(processing=options))
    log = [event for event in events if event.sequence]
    assert [event.sequence for event in log] == list(range(1, len(log) + 1))
    assert kinds(log)[0] == "accepted"
    assert kinds(log)[-1] == "completed"
    completed = log[-1].completed
    data = b"".join(event.chunk.data for event in events if event.HasField("chunk"))
    model = next(one for one in completed.assets if one.role == asset_pb2.ASSET_ROLE_MODEL)
    assert (model.name, model.media_type) == ("asset.glb", "model/gltf-binary")
    assert (len(data), hashlib.sha256(data).hexdigest()) == (model.size_bytes, model.sha256)
    bounds = completed.report.bounds_after
    assert bounds.max.y - bounds.min.y == pytest.approx(1.5, abs=1e-5)
    assert bounds.min.y == pytest.approx(0, abs=1e-6)
    outcomes = {check.name: check.outcome for check in completed.report.checks}
    passed = report_pb2.CHECK_OUTCOME_PASSED
    assert {"height_m", "pivot", "max_triangles"} <= outcomes.keys()
    assert all(outcomes[name] == passed for name in ("height_m", "pivot", "max_triangles"))


async def test_everything_beside_the_model_becomes_an_asset_with_its_role(
    house: House, request_for: Make
) -> None:
    """One request asks for all of it; the report names what each file is for."""
    options = processing_pb2.ProcessingOptions(
        engine_profile=processing_pb2.ENGINE_PROFILE_UNITY,
        lods=[processing_pb2.LodLevel(ratio=0.5)],
        collision=processing_pb2.CollisionOptions(kind=processing_pb2.COLLISION_KIND_CONVEX_HULL),
        textures=processing_pb2.TextureOptions(max_size_px=64),
        thumbnail_px=64,
        exports=[processing_pb2.EXPORT_FORMAT_STL],
    )
    events = await house.generate(request_for(processing=options))
    completed = end_of(events).completed
    roles = {one.name: one.role for one in completed.assets}
    expected = {
        "packed/metallic_smoothness.png": asset_pb2.ASSET_ROLE_PACKED_TEXTURE,
        "thumbnail.png": asset_pb2.ASSET_ROLE_THUMBNAIL,
        "exports/model.stl": asset_pb2.ASSET_ROLE_EXPORT,
        "collision.glb": asset_pb2.ASSET_ROLE_COLLISION,
    }
    assert expected.items() <= roles.items()
    assert asset_pb2.ASSET_ROLE_LOD in roles.values()
    assert "textures/base_color.png" in roles
    told = {output.name: (output.role, output.sha256) for output in completed.report.outputs}
    stored = {one.name: (one.role, one.sha256) for one in completed.assets}
    assert told.items() <= stored.items()
    assert completed.report.collision.kind == processing_pb2.COLLISION_KIND_CONVEX_HULL
    assert completed.report.HasField("uv")
    assert completed.report.memory.textures_bytes == 2 * 64 * 64 * 4 * 4 // 3
    checks = {check.name: check.outcome for check in completed.report.checks}
    assert checks["textures.max_size_px"] == report_pb2.CHECK_OUTCOME_PASSED


async def test_a_result_carries_its_origin_unless_that_is_declined(
    house: House, request_for: Make
) -> None:
    """The prompt itself is not in it; the source stays as the gateway sent it."""
    declined = processing_pb2.ProcessingOptions(write_provenance=False)
    for options, written in ((None, True), (declined, False)):
        events = await house.generate(request_for(processing=options))
        assets = {one.name: one for one in end_of(events).completed.assets}
        glb = await download(house, assets["asset.glb"])
        document = json.loads(glb[20 : 20 + int.from_bytes(glb[12:16], "little")])
        origin = document["asset"].get("extras", {}).get("assetwright", {})
        assert (origin.get("model") == "pixal3d") is written
        assert ("sandbox" in origin.get("license_note", "")) is written
        source = assets["source.glb"]
        assert (assets["asset.glb"].sha256 == source.sha256) is not written


async def test_the_gateways_bytes_and_the_textures_are_kept_beside_the_result(
    house: House, request_for: Make
) -> None:
    """Any post-processing can be done again from them without paying."""
    events = await house.generate(request_for())
    assets = {one.name: one for one in end_of(events).completed.assets}
    assert set(assets) == {
        "source.glb",
        "asset.glb",
        "textures/base_color.webp",
        "textures/metallic_roughness.webp",
        "report.json",
    }
    texture = await download(house, assets["textures/base_color.webp"])
    assert texture in await download(house, assets["source.glb"])


async def test_the_result_says_that_it_is_the_sandboxs(house: House, request_for: Make) -> None:
    events = await house.generate(request_for())
    accepted = events[0].accepted
    warnings = [event.warning.code for event in events if event.HasField("warning")]
    completed = next(event.completed for event in events if event.HasField("completed"))
    assert accepted.sandbox
    assert "SANDBOX_RESULT" in warnings
    assert all(asset.sandbox for asset in completed.assets)
    assert charge(completed.receipt) == "NOT_CHARGED"


async def test_announcing_sends_no_bytes(house: House, request_for: Make) -> None:
    events = await house.generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
    assert "chunk" not in kinds(events)
    assert kinds(events)[-1] == "completed"


async def test_the_same_request_id_pays_once(house: House, request_for: Make) -> None:
    """Two at once and one afterwards: one job, one submission, the same log."""
    before = _submissions(house)
    request = request_for(request_id="press-twice")
    first, second = await asyncio.gather(house.generate(request), house.generate(request))
    third = await house.generate(request)
    assert first[0].job_id == second[0].job_id == third[0].job_id
    assert sorted(events[0].accepted.attached for events in (first, second, third)) == [
        False,
        True,
        True,
    ]
    sequences = [[event.sequence for event in events] for events in (first, second, third)]
    assert sequences[0] == sequences[1] == sequences[2]
    assert _submissions(house) == before + 1


async def test_another_reader_follows_the_running_job_from_any_position(
    house: House, request_for: Make
) -> None:
    """Replay and live meet without a gap or a double, wherever the reader starts."""
    call = house.generation.Generate(request_for())
    job_id = (await call.read()).event.job_id
    whole = await watch(house, job_id)
    assert [event.sequence for event in whole] == list(range(1, len(whole) + 1))
    for position in (1, len(whole) // 2, len(whole) - 1, len(whole)):
        rest = await watch(house, job_id, after=position)
        assert rest == whole[position:]


async def test_a_reader_who_leaves_stops_nothing(house: House, request_for: Make) -> None:
    """Closing a stream detaches; only CancelJob stops work."""
    call = house.generation.Generate(request_for())
    job_id = (await call.read()).event.job_id
    call.cancel()
    events = await watch(house, job_id)
    assert kinds(events)[-1] == "completed"


async def test_download_goes_on_at_an_offset(house: House, request_for: Make) -> None:
    events = await house.generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
    asset = events[-1].completed.assets[0]
    whole = await download(house, asset)
    assert hashlib.sha256(whole).hexdigest() == asset.sha256
    for offset in (1, asset.size_bytes // 2, asset.size_bytes - 1, asset.size_bytes):
        assert await download(house, asset, offset=offset) == whole[offset:]


async def test_a_stored_glb_is_processed_again_for_free(house: House, request_for: Make) -> None:
    """A change of mind needs no new generation."""
    before = _submissions(house)
    events = await house.generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
    source = events[-1].completed.assets[0]
    request = pb.ProcessRequest(
        asset_id=source.asset_id,
        processing=processing_pb2.ProcessingOptions(longest_side_m=3.0),
    )
    again = [reply.event async for reply in house.generation.Process(request)]
    completed = next(event.completed for event in again if event.HasField("completed"))
    check = next(one for one in completed.report.checks if one.name == "longest_side_m")
    assert check.measured == pytest.approx(3.0, abs=1e-5)
    assert charge(completed.receipt) == "NOT_CHARGED"
    assert _submissions(house) == before + 1


@pytest.mark.parametrize(
    ("kind", "place", "expected"),
    [
        # First: a request that was accepted and dropped would use up a fault of the result.
        (FaultKind.FAIL, Place.RESULT, "GENERATION_FAILED"),
        (FaultKind.ERROR, Place.RESULT, "GENERATION_FAILED"),
        (FaultKind.BAD_REQUEST, Place.SUBMIT, "GATEWAY_REJECTED_REQUEST"),
        (FaultKind.UNAUTHORIZED, Place.SUBMIT, "GATEWAY_REFUSED_US"),
        (FaultKind.FORBIDDEN, Place.SUBMIT, "GATEWAY_REFUSED_US"),
        (FaultKind.INSUFFICIENT_BALANCE, Place.SUBMIT, "GATEWAY_BALANCE"),
        (FaultKind.SERVER_ERROR, Place.SUBMIT, "GATEWAY_UNAVAILABLE"),
        (FaultKind.DROP_AFTER_ACCEPT, Place.SUBMIT, "SUBMISSION_UNKNOWN"),
        (FaultKind.DROP_BEFORE_ACCEPT, Place.SUBMIT, "SUBMISSION_UNKNOWN"),
        (FaultKind.MALFORMED_JSON, Place.SUBMIT, "SUBMISSION_UNKNOWN"),
    ],
)
async def test_what_the_gateway_refuses_is_told_as_it_is_and_never_paid_twice(
    house: House, request_for: Make, kind: FaultKind, place: Place, expected: str
) -> None:
    """A second POST would be a second charge: none of these may lead to one."""
    before = _submissions(house)
    house.sandbox.faults.add(Fault(kind=kind, place=place))
    events = await house.generate(request_for())
    failed = end_of(events).failed
    assert reason(end_of(events)) == expected
    assert charge(failed.receipt) == "NOT_CHARGED"
    assert failed.error.remedy
    assert _submissions(house) <= before + 1
    job = await house.generation.GetJob(pb.GetJobRequest(job_id=events[0].job_id))
    assert job.job.state == job_pb2.JOB_STATE_FAILED
    assert job.job.error == failed.error


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (FaultKind.RATE_LIMITED, Place.SUBMIT),
        (FaultKind.RATE_LIMITED, Place.STATUS),
        (FaultKind.SERVER_ERROR, Place.STATUS),
        (FaultKind.MALFORMED_JSON, Place.STATUS),
        (FaultKind.UNKNOWN_STATUS, Place.STATUS),
        (FaultKind.SERVER_ERROR, Place.MEDIA),
        (FaultKind.TRUNCATED_MEDIA, Place.MEDIA),
    ],
)
async def test_what_may_be_repeated_is_repeated(
    house: House, request_for: Make, kind: FaultKind, place: Place
) -> None:
    """A refused submit, a poll and a download cost nothing; the job comes to its good end."""
    before = _submissions(house)
    house.sandbox.faults.add(Fault(kind=kind, place=place))
    events = await house.generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
    assert kinds(events)[-1] == "completed"
    assert _submissions(house) == before + 1


def _submissions(house: House) -> int:
    return len(house.sandbox.submissions())
