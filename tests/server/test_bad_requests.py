"""Bad input: one clear error that names every wrong field, and nothing stored or paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
import trimesh
from google.rpc import error_details_pb2, status_pb2

from assetwright.v1 import asset_service_pb2, model_pb2, model_service_pb2, processing_pb2
from assetwright.v1 import generation_service_pb2 as pb
from tests.server.house import end_of, reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from assetwright.v1 import asset_pb2
    from tests.server.house import House

    Make = Callable[..., pb.GenerateRequest]

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Refusal:
    """A refused call, read as a client reads it."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.code = error.code()
        self.message = error.details() or ""
        status = status_pb2.Status()
        trailers = dict(error.trailing_metadata() or ())
        status.ParseFromString(bytes(trailers["grpc-status-details-bin"]))
        self.info = error_details_pb2.ErrorInfo()
        self.bad = error_details_pb2.BadRequest()
        self.retry = error_details_pb2.RetryInfo()
        for detail in status.details:
            for message in (self.info, self.bad, self.retry):
                detail.Unpack(message)
        assert (status.code, status.message) == (self.code.value[0], self.message)

    @property
    def fields(self) -> dict[str, str]:
        return {one.field: one.description for one in self.bad.field_violations}


async def refused(call: Awaitable[object]) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return Refusal(raised.value)


async def test_an_unknown_model_is_not_found_and_the_nearest_is_named(
    house: House, request_for: Make
) -> None:
    refusal = await refused(house.generate(request_for(model="pixel3d")))
    assert refusal.code == grpc.StatusCode.NOT_FOUND
    assert (refusal.info.reason, refusal.info.domain) == ("MODEL_NOT_FOUND", "assetwright")
    assert refusal.info.metadata["nearest"] == "pixal3d"
    assert "Did you mean pixal3d?" in refusal.message


async def test_all_violations_come_together(house: House) -> None:
    """Fields wrong by the contract's rules, the catalog's and the processing's, in one answer."""
    request = pb.GenerateRequest(
        model="pixal3d",
        request_id="x" * 65,
        prompt="a chair",
        inputs=[pb.Input(role=model_pb2.INPUT_ROLE_MASK, inline_data=b"GIF")],
        processing=processing_pb2.ProcessingOptions(
            height_m=-1,
            max_triangles=0,
            engine_profile=99,  # type: ignore[arg-type]  # Newer than this server.
            textures=processing_pb2.TextureOptions(media_type="image/gif"),
            collision=processing_pb2.CollisionOptions(max_parts=0),
            exports=[processing_pb2.EXPORT_FORMAT_STL, processing_pb2.EXPORT_FORMAT_UNSPECIFIED],
            lods=[processing_pb2.LodLevel()],
            thumbnail_px=8,
        ),
        labels={"k" * 64: "v"},
    )
    request.parameters["texture_size"].int_value = 100
    request.parameters["textur_size"].int_value = 1024
    request.parameters["seed"].string_value = "seven"
    request.parameters["remesh"].SetInParent()
    refusal = await refused(house.generate(request))
    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.info.reason == "INVALID_REQUEST"
    assert set(refusal.fields) == {
        "request_id",
        "prompt",
        "inputs",
        "inputs[0].role",
        "inputs[0].asset_id",
        "parameters[texture_size]",
        "parameters[textur_size]",
        "parameters[seed]",
        "parameters[remesh]",
        "processing.height_m",
        "processing.max_triangles",
        "processing.engine_profile",
        "processing.textures.media_type",
        "processing.collision.kind",
        "processing.collision.max_parts",
        "processing.exports[1]",
        "processing.lods[0]",
        "processing.thumbnail_px",
        f"labels[{'k' * 63}]",
    }
    assert refusal.fields["parameters[texture_size]"] == "It is one of 1024, 2048, 4096; not 100."
    assert "Did you mean texture_size?" in refusal.fields["parameters[textur_size]"]


async def test_an_image_stage_is_checked_as_a_request_of_its_own(house: House) -> None:
    """Its parameters by their own names, its model by its task, and the prompt is needed."""
    request = pb.GenerateRequest(model="pixal3d", image_stage=pb.ImageStage(model="flux-pro"))
    request.image_stage.parameters["sted"].int_value = 1
    refusal = await refused(house.generate(request))
    assert set(refusal.fields) == {"prompt", "image_stage.parameters[sted]"}
    request = pb.GenerateRequest(
        model="flux-pro", prompt="a chair", image_stage=pb.ImageStage(model="flux-fill-dev")
    )
    refusal = await refused(house.generate(request))
    assert {"image_stage", "image_stage.model"} <= set(refusal.fields)


async def test_what_makes_no_mesh_takes_no_mesh_options(house: House) -> None:
    """Options that would be ignored in silence are refused before anything is paid."""
    request = pb.GenerateRequest(
        model="flux-pro",
        prompt="a chair",
        processing=processing_pb2.ProcessingOptions(height_m=1),
    )
    assert list((await refused(house.generate(request))).fields) == ["processing"]


async def test_a_missing_image_is_named(house: House) -> None:
    refusal = await refused(house.generate(pb.GenerateRequest(model="pixal3d")))
    assert refusal.fields == {"inputs": "The model pixal3d needs a SOURCE input."}


async def test_an_image_that_is_none_is_named_before_anything_is_paid(house: House) -> None:
    request = pb.GenerateRequest(
        model="pixal3d",
        inputs=[pb.Input(role=model_pb2.INPUT_ROLE_SOURCE, inline_data=b"no picture at all")],
    )
    before = len(house.sandbox.submissions())
    refusal = await refused(house.generate(request))
    assert list(refusal.fields) == ["inputs[0].asset_id"]
    assert "PNG, JPEG, WEBP" in refusal.fields["inputs[0].asset_id"]
    assert len(house.sandbox.submissions()) == before


async def test_a_three_byte_file_as_glb_fails_its_job_by_name(house: House) -> None:
    """The file is stored and could be anything; what it is not is found when it is read."""
    asset = await upload(house, b"abc")
    request = pb.ProcessRequest(asset_id=asset.asset_id)
    events = [reply.event async for reply in house.generation.Process(request)]
    failed = end_of(events)
    assert reason(failed) == "ASSET_INVALID"
    assert failed.failed.error.message


async def test_height_of_a_flat_model_names_the_option(house: House) -> None:
    """What is wrong with an option only for this file is told as the option's fault."""
    flat = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 0, 1]], [[0, 2, 1]]).export(file_type="glb")
    asset = await upload(house, flat)
    request = pb.ProcessRequest(
        asset_id=asset.asset_id, processing=processing_pb2.ProcessingOptions(height_m=1)
    )
    events = [reply.event async for reply in house.generation.Process(request)]
    assert reason(end_of(events)) == "INVALID_REQUEST"
    assert "height_m" in end_of(events).failed.error.message


async def test_a_price_over_the_cap_is_refused_before_anything_is_sent(
    house: House, request_for: Make
) -> None:
    cap = {"max_cost": {"currency_code": "USD", "amount_micros": 299_999}}
    before = len(house.sandbox.submissions())
    refusal = await refused(house.generate(request_for(**cap)))
    assert refusal.code == grpc.StatusCode.FAILED_PRECONDITION
    assert refusal.info.reason == "BUDGET_EXCEEDED"
    assert refusal.info.metadata["price_micros"] == "300000"
    assert len(house.sandbox.submissions()) == before


async def test_the_quote_is_the_published_row(house: House) -> None:
    request = pb.QuoteRequest(model="pixal3d")
    request.parameters["texture_size"].int_value = 1024
    quote = await house.generation.Quote(request)
    assert quote.low.amount_micros == quote.high.amount_micros == 300_000
    assert quote.note
    request.parameters["texture_size"].int_value = 7
    refusal = await refused(house.generation.Quote(request))
    assert list(refusal.fields) == ["parameters[texture_size]"]


async def test_positions_in_the_future_are_out_of_range(house: House, request_for: Make) -> None:
    events = await house.generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
    job_id, last = events[-1].job_id, events[-1].sequence
    watch = pb.WatchJobRequest(job_id=job_id, after_sequence=last + 1)
    refusal = await refused(anext(aiter(house.generation.WatchJob(watch))))
    assert refusal.code == grpc.StatusCode.OUT_OF_RANGE
    assert refusal.info.metadata["last_sequence"] == str(last)
    asset = events[-1].completed.assets[0]
    download = asset_service_pb2.DownloadAssetRequest(
        asset_id=asset.asset_id, offset=asset.size_bytes + 1
    )
    refusal = await refused(anext(aiter(house.assets.DownloadAsset(download))))
    assert refusal.info.reason == "POSITION_OUT_OF_RANGE"


async def test_what_does_not_exist_is_not_found(house: House) -> None:
    """Each by its own reason, so that a program can tell them apart."""
    none = "none"
    calls = {
        "JOB_NOT_FOUND": [
            house.generation.GetJob(pb.GetJobRequest(job_id=none)),
            house.generation.CancelJob(pb.CancelJobRequest(job_id=none)),
            anext(aiter(house.generation.WatchJob(pb.WatchJobRequest(job_id=none)))),
        ],
        "ASSET_NOT_FOUND": [
            house.assets.GetAsset(asset_service_pb2.GetAssetRequest(asset_id=none)),
            anext(aiter(house.generation.Process(pb.ProcessRequest(asset_id=none)))),
        ],
        "MODEL_NOT_FOUND": [
            house.models.GetModel(model_service_pb2.GetModelRequest(model_id=none)),
            house.generation.Quote(pb.QuoteRequest(model=none)),
        ],
    }
    for expected, made in calls.items():
        for call in made:
            refusal = await refused(call)
            assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.NOT_FOUND, expected)


async def test_a_decision_says_what_is_decided(house: House) -> None:
    for fields, field in (
        ({}, "decision"),
        ({"adopt_gateway_request_id": ""}, "adopt_gateway_request_id"),
        ({"adopt_gateway_request_id": "x" * 257}, "adopt_gateway_request_id"),
        ({"adopt_gateway_request_id": "a\nb"}, "adopt_gateway_request_id"),
    ):
        request = pb.ResolveJobRequest(job_id="any", **fields)
        refusal = await refused(house.generation.ResolveJob(request))
        assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
        assert [one.field for one in refusal.bad.field_violations] == [field]


async def test_an_ended_job_cannot_be_cancelled(house: House, request_for: Make) -> None:
    events = await house.generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
    refusal = await refused(
        house.generation.CancelJob(pb.CancelJobRequest(job_id=events[0].job_id))
    )
    assert refusal.code == grpc.StatusCode.FAILED_PRECONDITION
    assert refusal.info.reason == "JOB_ALREADY_TERMINAL"
    assert refusal.info.metadata["state"] == "completed"


async def test_lists_refuse_wrong_pages_and_filters(house: House) -> None:
    for call, field in (
        (house.generation.ListJobs(pb.ListJobsRequest(page_size=-1)), "page_size"),
        (house.generation.ListJobs(pb.ListJobsRequest(page_token="?")), "page_token"),
        (house.generation.ListJobs(pb.ListJobsRequest(states=[99])), "states[0]"),
        (house.assets.ListAssets(asset_service_pb2.ListAssetsRequest(page_size=-1)), "page_size"),
        (
            house.models.ListModels(model_service_pb2.ListModelsRequest(page_token="?")),
            "page_token",
        ),
        (house.models.ListModels(model_service_pb2.ListModelsRequest(tasks=[99])), "tasks[0]"),
    ):
        assert list((await refused(call)).fields) == [field]


async def test_uploads_that_do_not_fit_their_header_store_nothing(house: House) -> None:
    header = asset_service_pb2.UploadHeader(name="a.bin", size_bytes=4, sha256="0" * 64)
    parts = [
        asset_service_pb2.UploadAssetRequest(header=header),
        asset_service_pb2.UploadAssetRequest(data=b"abc"),
    ]
    before = await house.assets.ListAssets(asset_service_pb2.ListAssetsRequest())
    refusal = await refused(house.assets.UploadAsset(iter(parts)))
    assert set(refusal.fields) == {"header.size_bytes", "header.sha256"}
    for wrong in (parts[1:], parts[:1], [], [parts[0], parts[0]]):
        refusal = await refused(house.assets.UploadAsset(iter(wrong)))
        assert refusal.info.reason == "INVALID_REQUEST"
    after = await house.assets.ListAssets(asset_service_pb2.ListAssetsRequest())
    assert after == before


async def test_the_same_upload_is_the_same_asset(house: House) -> None:
    """Stored once; only the last part of its name is kept."""
    first = await upload(house, b"the same bytes", name="../../etc/pass:wd")
    second = await upload(house, b"the same bytes", name="other")
    assert first == second
    assert first.name == "pass_wd"


async def upload(house: House, data: bytes, *, name: str = "file") -> asset_pb2.Asset:
    header = asset_service_pb2.UploadHeader(name=name, size_bytes=len(data))
    parts = [
        asset_service_pb2.UploadAssetRequest(header=header),
        asset_service_pb2.UploadAssetRequest(data=data),
    ]
    return (await house.assets.UploadAsset(iter(parts))).asset
