"""From the contract's requests to our own types. All problems are collected, none is hidden."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assetwright.v1 import generation_service_pb2 as pb
from server.errors import InvalidRequest, Violation
from server.gateway.models import InputRole
from server.jobs.model import (
    AfterSubmission,
    AssetRole,
    GenerateSpec,
    ImageStageSpec,
    InputRef,
    JobState,
    Money,
    ProcessSpec,
)
from server.jobs.store import AssetQuery, JobQuery
from server.rpc.enums import from_wire, wrong_choice
from server.rpc.processing import processing_options

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from assetwright.v1 import asset_service_pb2, model_pb2
    from server.gateway.models import ParameterValue

    StoreInline = Callable[[bytes], Awaitable[str]]
    JobRequest = pb.GenerateRequest | pb.ProcessRequest

__all__ = [
    "adopted",
    "after_submission",
    "asset_query",
    "generate_spec",
    "job_query",
    "page_size",
    "process_spec",
    "quote_spec",
    "streams_bytes",
]

_DEFAULT_PAGE = 50
_MAX_PAGE = 500
_MAX_GATEWAY_ID = 256
_MAX_INLINE = 1 << 20


async def generate_spec(
    request: pb.GenerateRequest, store_inline: StoreInline
) -> tuple[GenerateSpec, list[Violation]]:
    """Return what is asked for, and what is wrong with how it is asked.

    Args:
        request: As it came.
        store_inline: Stores inline bytes and returns their asset's id.
    """
    problems = _delivery_problems(request)
    inputs = await asyncio.gather(
        *(
            _input(one, f"inputs[{position}]", store_inline, problems)
            for position, one in enumerate(request.inputs)
        )
    )
    spec = GenerateSpec(
        model=request.model,
        prompt=request.prompt if request.HasField("prompt") else None,
        inputs=tuple(one for one in inputs if one is not None),
        parameters=_parameters(request.parameters, problems),
        image_stage=_image_stage(request, problems),
        processing=processing_options(request.processing, problems),
        labels=dict(request.labels),
        max_cost=_max_cost(request),
        accept_unpriced=request.accept_unpriced,
        max_duration_s=_max_duration_s(request, problems),
    )
    return spec, problems


def process_spec(request: pb.ProcessRequest) -> tuple[ProcessSpec, list[Violation]]:
    """Return what is asked for, and what is wrong with how it is asked."""
    problems = _delivery_problems(request)
    spec = ProcessSpec(
        asset_id=request.asset_id,
        processing=processing_options(request.processing, problems),
        labels=dict(request.labels),
    )
    return spec, problems


def quote_spec(request: pb.QuoteRequest) -> tuple[GenerateSpec, list[Violation]]:
    """Return what is to be priced, and what is wrong with how it is asked."""
    problems: list[Violation] = []
    spec = GenerateSpec(
        model=request.model,
        parameters=_parameters(request.parameters, problems),
        image_stage=_image_stage(request, problems),
    )
    return spec, problems


def streams_bytes(request: JobRequest) -> bool:
    """Tell whether the results' bytes follow the log."""
    return not request.HasField("delivery") or request.delivery == pb.DELIVERY_STREAM


def after_submission(request: pb.CancelJobRequest) -> AfterSubmission:
    """Return what to do with a generation that was submitted already.

    Raises:
        InvalidRequest: It is no choice.
    """
    if not request.HasField("after_submission"):
        return AfterSubmission.DISCARD
    choice = from_wire(AfterSubmission, request.after_submission)
    if choice is None:
        raise InvalidRequest(wrong_choice(AfterSubmission, "after_submission"))
    return choice


def adopted(request: pb.ResolveJobRequest) -> str | None:
    """Return the gateway's request id that a job shall have; None: it shall be submitted again.

    Raises:
        InvalidRequest: There is no decision, or it names nothing that could be an id.
    """
    decision = request.WhichOneof("decision")
    if decision is None:
        message = "It needs adopt_gateway_request_id or resubmit."
        raise InvalidRequest(Violation("decision", message))
    if decision == "resubmit":
        return None
    adopt = request.adopt_gateway_request_id
    if not 0 < len(adopt) <= _MAX_GATEWAY_ID or not adopt.isprintable():
        message = f"It has 1 to {_MAX_GATEWAY_ID} printable characters."
        raise InvalidRequest(Violation("adopt_gateway_request_id", message))
    return adopt


def job_query(request: pb.ListJobsRequest) -> JobQuery:
    """Return which jobs to list.

    Raises:
        InvalidRequest: A filter or the page size is wrong.
    """
    states = [from_wire(JobState, value) for value in request.states]
    problems = [
        wrong_choice(JobState, f"states[{position}]")
        for position, state in enumerate(states)
        if state is None
    ]
    if problems:
        raise InvalidRequest(*problems)
    return JobQuery(
        page_size=page_size(request.page_size),
        page_token=request.page_token,
        states=tuple(state for state in states if state is not None),
        model=request.model if request.HasField("model") else None,
        labels=dict(request.labels),
    )


def asset_query(request: asset_service_pb2.ListAssetsRequest) -> AssetQuery | None:
    """Return which assets to list; None when only roles are asked that no asset has yet.

    Raises:
        InvalidRequest: The page size is wrong.
    """
    roles = [from_wire(AssetRole, value) for value in request.roles]
    known = tuple(role for role in roles if role is not None)
    size = page_size(request.page_size)
    if roles and not known:
        return None
    return AssetQuery(
        page_size=size,
        page_token=request.page_token,
        job_id=request.job_id if request.HasField("job_id") else None,
        roles=known,
    )


def page_size(asked: int) -> int:
    """Return how many items a page has.

    Raises:
        InvalidRequest: It is negative.
    """
    if asked < 0:
        raise InvalidRequest(Violation("page_size", f"It is 0 or more, not {asked}."))
    return min(asked or _DEFAULT_PAGE, _MAX_PAGE)


async def _input(
    one: pb.Input, field: str, store_inline: StoreInline, problems: list[Violation]
) -> InputRef | None:
    role = from_wire(InputRole, one.role)
    if role is None:
        problems.append(wrong_choice(InputRole, f"{field}.role"))
        return None
    match one.WhichOneof("source"):
        case "url":
            return InputRef(role=role, url=one.url)
        case "asset_id":
            return InputRef(role=role, asset_id=one.asset_id)
        case "inline_data" if len(one.inline_data) > _MAX_INLINE:
            message = f"It has {len(one.inline_data)} bytes; above {_MAX_INLINE} use UploadAsset."
            problems.append(Violation(f"{field}.inline_data", message))
        case "inline_data" if not one.inline_data:
            problems.append(Violation(f"{field}.inline_data", "It is empty."))
        case "inline_data":
            return InputRef(role=role, asset_id=await store_inline(one.inline_data))
        case _:
            message = "It needs a url, an asset_id or inline_data."
            problems.append(Violation(f"{field}.source", message))
    return None


def _image_stage(
    request: pb.GenerateRequest | pb.QuoteRequest, problems: list[Violation]
) -> ImageStageSpec | None:
    if not request.HasField("image_stage"):
        return None
    stage = request.image_stage
    parameters = _parameters(stage.parameters, problems, of="image_stage.")
    return ImageStageSpec(model=stage.model, parameters=parameters)


def _parameters(
    values: Mapping[str, model_pb2.ParameterValue], problems: list[Violation], *, of: str = ""
) -> dict[str, ParameterValue]:
    parameters: dict[str, ParameterValue] = {}
    for name in sorted(values):
        value = values[name]
        kind = value.WhichOneof("kind")
        if kind is None:
            problems.append(Violation(f"{of}parameters[{name}]", "It has no value."))
        else:
            parameters[name] = getattr(value, kind)
    return parameters


def _max_cost(request: pb.GenerateRequest) -> Money | None:
    if not request.HasField("max_cost"):
        return None
    cap = request.max_cost
    return Money(amount_micros=cap.amount_micros, currency_code=cap.currency_code)


def _max_duration_s(request: pb.GenerateRequest, problems: list[Violation]) -> float | None:
    if not request.HasField("max_duration"):
        return None
    duration_s = request.max_duration.seconds + request.max_duration.nanos / 1e9
    if duration_s <= 0:
        problems.append(Violation("max_duration", "It must be longer than 0 s."))
    return duration_s


def _delivery_problems(request: JobRequest) -> list[Violation]:
    known = (pb.DELIVERY_STREAM, pb.DELIVERY_ANNOUNCE)
    if not request.HasField("delivery") or request.delivery in known:
        return []
    return [Violation("delivery", "It is one of STREAM, ANNOUNCE.")]
