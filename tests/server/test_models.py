"""Every model of the catalog, through the real server, against the sandbox over real HTTP.

The sandbox and the catalog were read from the providers' pages by different people, so that each
checks the other. Both take the right key in the right header only.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from assetwright.v1 import asset_pb2, job_pb2, model_pb2, model_service_pb2
from assetwright.v1 import generation_service_pb2 as pb
from server.gateway.models import Catalog, InputRole, ModelTask
from tests.gateway.examples import EXAMPLES
from tests.server.house import charge, download, end_of, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.gateway.values import ParameterValue
    from tests.gateway.examples import Example
    from tests.server.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

CATALOG = Catalog.load()
# What keeps a test short without changing what is tested.
SMALL: Mapping[str, Mapping[str, ParameterValue]] = {
    "pixal3d": {"decimation_target": 600, "texture_size": 1024}
}
LISTED = ("image_urls",)


def parameter_value(value: ParameterValue) -> model_pb2.ParameterValue:
    match value:
        case bool():
            return model_pb2.ParameterValue(bool_value=value)
        case int():
            return model_pb2.ParameterValue(int_value=value)
        case float():
            return model_pb2.ParameterValue(float_value=value)
        case str():
            return model_pb2.ParameterValue(string_value=value)


def dataset(picture: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.png", picture)
    return file.getvalue()


def request(example: Example, picture: bytes) -> pb.GenerateRequest:
    data = {InputRole.DATASET: dataset(picture)}
    return pb.GenerateRequest(
        model=example.model,
        prompt=example.prompt,
        inputs=[
            pb.Input(
                role=model_pb2.InputRole.Value(f"INPUT_ROLE_{role.name}"),
                inline_data=data.get(role, picture),
            )
            for role in example.inputs
        ],
        parameters={
            name: parameter_value(value)
            for name, value in {**example.parameters, **SMALL.get(example.model, {})}.items()
        },
        accept_unpriced=True,
        delivery=pb.DELIVERY_ANNOUNCE,
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.model)
async def test_the_pages_example_becomes_a_result_of_the_right_kind(
    house: House, picture: bytes, example: Example
) -> None:
    """What goes out is the page's example field by field; what comes back is what it promises."""
    before = len(house.sandbox.submissions())
    events = await house.generate(request(example, picture))
    assert kinds(events)[-1] == "completed", end_of(events)
    (submission,) = house.sandbox.submissions()[before:]
    _check_body(dict(submission.generation.body), example)
    task = CATALOG.get(example.model).task  # type: ignore[union-attr]
    assets = [one for one in end_of(events).completed.assets if one.role in _RESULTS]
    assert len(assets) == _expected_count(example)
    for position, asset in enumerate(assets):
        await _check_asset(house, asset, task, position)


async def test_the_examples_are_all_models() -> None:
    assert {example.model for example in EXAMPLES} == set(CATALOG.ids)


async def test_text_becomes_a_mesh_in_one_job(house: House) -> None:
    """The picture is announced as soon as it is there, and is what the mesh is made from."""
    asked = pb.GenerateRequest(
        model="pixal3d", prompt="a red mushroom", image_stage=pb.ImageStage(model="flux-1-schnell")
    )
    asked.parameters["decimation_target"].int_value = 600
    asked.parameters["texture_size"].int_value = 1024
    asked.image_stage.parameters["seed"].int_value = 7
    before = len(house.sandbox.submissions())
    events = await house.generate(asked)
    order = kinds(events)
    assert order.index("intermediate_image_ready") < order.index("gateway_update")
    picture = next(
        e.intermediate_image_ready.asset for e in events if e.HasField("intermediate_image_ready")
    )
    Image.open(io.BytesIO(await download(house, picture))).verify()
    first, second = house.sandbox.submissions()[before:]
    assert first.generation.body["prompt"] == "a red mushroom"
    assert f"/inputs/{picture.sha256}/" in str(second.generation.body["image_url"])
    stages = [event.stage_started.stage for event in events if event.HasField("stage_started")]
    assert stages == list(events[0].accepted.plan)
    assert stages[0] == job_pb2.STAGE_IMAGE
    roles = {asset.role for asset in end_of(events).completed.assets}
    assert {asset_pb2.ASSET_ROLE_INTERMEDIATE_IMAGE, asset_pb2.ASSET_ROLE_MODEL} <= roles


async def test_a_model_without_a_price_asks_for_consent(house: House, picture: bytes) -> None:
    example = next(one for one in EXAMPLES if one.model == "flux-2-dev")
    asked = request(example, picture)
    asked.accept_unpriced = False
    with pytest.raises(Exception, match="No price is published for flux-2-dev"):
        await house.generate(asked)


async def test_an_unlisted_value_of_an_open_enum_passes_with_a_warning(
    house: House, picture: bytes
) -> None:
    """The page lists 11 of 28 samplers; the others are the provider's to judge."""
    example = next(one for one in EXAMPLES if one.model == "segmind-aura-flow")
    asked = request(example, picture)
    asked.parameters["sampler"].string_value = "a_sampler_of_tomorrow"
    events = await house.generate(asked)
    warnings = {event.warning.code: event.warning.message for event in events}
    assert "a_sampler_of_tomorrow" in warnings["PARAMETER_UNLISTED"]


async def test_segminds_credits_are_told(house: House, picture: bytes) -> None:
    example = next(one for one in EXAMPLES if one.model == "segmind-aura-flow")
    events = await house.generate(request(example, picture))
    assert "REMAINING_CREDITS" in [event.warning.code for event in events]
    assert charge(end_of(events).completed.receipt) == "NOT_CHARGED"


async def test_the_list_has_every_model_ready(house: House) -> None:
    reply = await house.models.ListModels(model_service_pb2.ListModelsRequest(page_size=500))
    assert [model.model_id for model in reply.models] == sorted(CATALOG.ids)
    assert all(model.ready for model in reply.models)


_RESULTS = (
    asset_pb2.ASSET_ROLE_MODEL,
    asset_pb2.ASSET_ROLE_IMAGE,
    asset_pb2.ASSET_ROLE_FILE,
)


def _check_body(body: dict[str, object], example: Example) -> None:
    """Compare with the page; of an address only that it is one of ours."""
    expected = {**example.body, **SMALL.get(example.model, {})}
    assert body.keys() == expected.keys()
    addresses = set(example.inputs.values())
    for name, wanted in expected.items():
        sent = body[name]
        if name in LISTED:
            (sent,), (address,) = sent, wanted  # type: ignore[misc]
        else:
            address = wanted
        if address in addresses:
            assert str(sent).startswith("http://127.0.0.1:")
        elif isinstance(wanted, float):
            assert float(sent) == wanted  # type: ignore[arg-type]  # 5 and 5.0 are one number in JSON.
        else:
            assert sent == wanted
            assert isinstance(sent, bool) == isinstance(wanted, bool)


def _expected_count(example: Example) -> int:
    counts = [example.parameters.get(name, 1) for name in ("num_images", "num_outputs")]
    return max(int(count) for count in counts)


async def _check_asset(
    house: House, asset: asset_pb2.Asset, task: ModelTask, position: int
) -> None:
    data = await download(house, asset)
    if task is ModelTask.IMAGE_TO_3D:
        assert (asset.name, data[:4]) == ("asset.glb", b"glTF")
    elif task is ModelTask.TRAIN:
        assert asset.name == f"file-{position}.safetensors"
        length = int.from_bytes(data[:8], "little")
        assert "__metadata__" in json.loads(data[8 : 8 + length])
    else:
        assert asset.name.startswith(f"image-{position}.")
        with Image.open(io.BytesIO(data)) as image:
            assert asset.media_type == f"image/{image.format.lower()}"  # type: ignore[union-attr]
            image.load()
