"""The bridge in front of the real server: what comes over gRPC-Web is what comes over gRPC."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest
from google.protobuf import empty_pb2
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2

from assetwright.v1 import asset_pb2, asset_service_pb2, job_pb2, model_service_pb2
from assetwright.v1 import generation_service_pb2 as pb
from tests.web.caller import PROTO, framed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.house import House
    from tests.web.caller import Line

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODELS = "/assetwright.v1.ModelService"
GENERATION = "/assetwright.v1.GenerationService"
ASSETS = "/assetwright.v1.AssetService"


async def test_a_unary_call_answers_as_over_grpc(house: House, line: Line) -> None:
    """One frame with the very message, then the trailer frame, with the length said before."""
    native = await house.models.ListModels(model_service_pb2.ListModelsRequest())
    reply = await line.call(f"{MODELS}/ListModels", model_service_pb2.ListModelsRequest())
    assert reply.status == 200
    assert reply.headers["content-type"] == PROTO
    assert int(reply.headers["content-length"]) == len(reply.body)
    (message,) = reply.messages
    assert model_service_pb2.ListModelsResponse.FromString(message) == native
    assert reply.trailers == {"grpc-status": "0"}


async def test_a_connection_serves_one_call_after_the_other(line: Line) -> None:
    for _ in range(3):
        reply = await line.call(f"{MODELS}/ListModels", model_service_pb2.ListModelsRequest())
        assert reply.code == 0


async def test_a_job_streams_its_log_and_its_bytes(
    line: Line, request_for: Callable[..., pb.GenerateRequest]
) -> None:
    await line.begin(f"{GENERATION}/Generate", request_for(delivery=pb.DELIVERY_STREAM))
    reply = await line.answer()
    assert reply.headers["transfer-encoding"] == "chunked"
    assert reply.code == 0
    events = [pb.GenerateResponse.FromString(message).event for message in reply.messages]
    log = [event for event in events if event.sequence]
    assert [event.sequence for event in log] == list(range(1, len(log) + 1))
    assert log[-1].WhichOneof("kind") == "completed"
    (model,) = (a for a in log[-1].completed.assets if a.role == asset_pb2.ASSET_ROLE_MODEL)
    data = b"".join(e.chunk.data for e in events if e.WhichOneof("kind") == "chunk")
    assert hashlib.sha256(data).hexdigest() == model.sha256


async def test_events_come_when_they_happen(
    line: Line, request_for: Callable[..., pb.GenerateRequest]
) -> None:
    """The job is accepted long before it ends; a bridge that collects would show all at once."""
    await line.begin(f"{GENERATION}/Generate", request_for())
    reply = await line.head()
    pieces = line.pieces(reply)
    await anext(pieces)
    first = pb.GenerateResponse.FromString(reply.messages[0]).event
    assert first.WhichOneof("kind") == "accepted"
    assert len(reply.frames) < 3
    async for _ in pieces:
        pass
    assert reply.code == 0


async def test_an_error_tells_code_message_and_details(line: Line) -> None:
    request = model_service_pb2.GetModelRequest(model_id="100 % Fähre\n")
    reply = await line.call(f"{MODELS}/GetModel", request)
    assert (reply.status, reply.code, reply.messages) == (200, 5, [])
    assert reply.reason == "MODEL_NOT_FOUND"
    assert "100 %25 F%C3%A4hre" in reply.trailers["grpc-message"]


async def test_all_violations_arrive(line: Line) -> None:
    request = pb.GenerateRequest(model="pixal3d")
    request.parameters["texture_size"].int_value = 7
    request.parameters["no_such_thing"].int_value = 7
    reply = await line.call(f"{GENERATION}/Generate", request)
    assert (reply.code, reply.reason) == (3, "INVALID_REQUEST")
    bad = reply.detail(error_details_pb2.BadRequest)
    assert isinstance(bad, error_details_pb2.BadRequest)
    fields = {violation.field for violation in bad.field_violations}
    assert {"parameters[texture_size]", "parameters[no_such_thing]"} <= fields


async def test_a_method_that_is_not_there_is_unimplemented(line: Line) -> None:
    reply = await line.call("/assetwright.v1.ModelService/Sing", empty_pb2.Empty())
    assert (reply.status, reply.code, reply.messages) == (200, 12, [])


async def test_a_stream_of_requests_is_refused_with_the_way_out(line: Line) -> None:
    reply = await line.call(f"{ASSETS}/UploadAsset", asset_service_pb2.UploadAssetRequest())
    assert (reply.code, reply.reason) == (12, "UNIMPLEMENTED")
    assert "PUT /v1/uploads/ID" in reply.trailers["grpc-message"]


async def test_health_is_a_service_like_the_others(line: Line) -> None:
    reply = await line.call("/grpc.health.v1.Health/Check", health_pb2.HealthCheckRequest())
    (message,) = reply.messages
    status = health_pb2.HealthCheckResponse.FromString(message).status
    assert status == health_pb2.HealthCheckResponse.SERVING


async def test_a_deadline_ends_the_call(
    house: House, line: Line, request_for: Callable[..., pb.GenerateRequest]
) -> None:
    """The call ends, and the job, which it only watched, does not."""
    reply = await line.call(f"{GENERATION}/Generate", request_for(), grpc_timeout="20m")
    assert reply.code == 4
    events = [pb.GenerateResponse.FromString(message).event for message in reply.messages]
    if events:
        job = await house.generation.GetJob(pb.GetJobRequest(job_id=events[0].job_id))
        assert job.job.state not in (job_pb2.JOB_STATE_CANCELLED, job_pb2.JOB_STATE_FAILED)


async def test_a_download_goes_on_from_an_offset(house: House, line: Line, picture: bytes) -> None:
    header = asset_service_pb2.UploadHeader(name="a.png")
    parts = [
        asset_service_pb2.UploadAssetRequest(header=header),
        asset_service_pb2.UploadAssetRequest(data=picture),
    ]
    stored = (await house.assets.UploadAsset(iter(parts))).asset
    request = asset_service_pb2.DownloadAssetRequest(asset_id=stored.asset_id, offset=10)
    reply = await line.call(f"{ASSETS}/DownloadAsset", request)
    first, *rest = (asset_service_pb2.DownloadAssetResponse.FromString(m) for m in reply.messages)
    assert first.asset == stored
    assert b"".join(message.chunk.data for message in rest) == picture[10:]


async def test_the_text_form_is_the_same_in_base64(line: Line) -> None:
    """A request may come in pieces that are padded each; every piece of the answer decodes."""
    body = framed(model_service_pb2.GetModelRequest(model_id="pixal3d").SerializeToString())
    text = base64.b64encode(body[:5]) + base64.b64encode(body[5:])
    kind = "application/grpc-web-text"
    await line.send(line.request("POST", f"{MODELS}/GetModel", text, content_type=kind))
    reply = await line.answer()
    assert reply.headers["content-type"] == "application/grpc-web-text+proto"
    reply.body = bytearray(base64.b64decode(reply.body, validate=True))
    assert reply.code == 0
    answer = model_service_pb2.GetModelResponse.FromString(reply.messages[0])
    assert answer.model.model_id == "pixal3d"
