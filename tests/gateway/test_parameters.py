"""Requests are checked against the catalog before anything is paid for."""

from __future__ import annotations

import msgspec
import pytest

from server.gateway.models import InputRole, ParameterValue
from server.gateway.parameters import (
    check_parameters,
    check_request,
    nearest,
    request_body,
    warnings,
)
from tests.gateway.wire import CATALOG, model

SOURCE, MASK, DATASET = InputRole.SOURCE, InputRole.MASK, InputRole.DATASET


def _problem(model_id: str, **parameters: ParameterValue) -> str:
    (violation,) = check_parameters(model(model_id), parameters)
    (name,) = parameters
    assert violation.field == f"parameters[{name}]"
    return violation.message


@pytest.mark.parametrize(
    ("model_id", "name", "value", "said"),
    [
        ("pixal3d", "texture_size", 1000, "one of 1024, 2048, 4096"),
        ("pixal3d", "texture_size", "1024", "a whole number"),
        ("pixal3d", "remesh", 1, "true or false"),
        ("pixal3d", "seed", True, "a whole number"),
        ("pixal3d", "mesh_scale", float("nan"), "a number"),
        ("pixal3d", "mesh_scale", 10**400, "a number"),
        ("pixal3d", "texture_sise", 1024, "Did you mean texture_size?"),
        ("pixal3d", "image_url", "https://example.com", "the SOURCE input"),
        ("flux-pro", "prompt", "a chair", "the prompt of the request"),
        ("flux-pro", "output_format", "jpg", "one of jpeg, png"),
        ("flux-fill-dev", "output_format", "jpeg", "one of webp, jpg, png"),
        ("flux-2-pro-text-to-image", "safety_tolerance", "2", "a whole number"),
        ("flux-2-pro-text-to-image", "safety_tolerance", 5, "at most 4"),
        ("flux-2-pro-image-to-image", "safety_tolerance", 2, "text"),
        ("flux-pro-1-1-ultra", "safety_tolerance", "7", "one of 1, 2"),
        ("flux-pro-1-1-ultra", "sync_mode", True, "one of False"),
        ("flux-kontext-restore", "safety_tolerance", 3, "at most 2"),
        ("flux-kontext-restore", "seed", -1, "at least 0"),
        ("flux-2-dev", "width", 0, "at least 1"),
        ("flux-1-schnell", "num_steps", 9, "at most 8"),
        ("segmind-aura-flow", "shift", 10.5, "at most 10"),
        ("segmind-aura-flow", "scheduler", "none", "one of normal"),
        ("segmind-aura-flow", "negative_prompt", "x" * 8193, "too long"),
    ],
)
def test_a_wrong_value_is_told_with_what_would_be_right(
    model_id: str, name: str, value: ParameterValue, said: str
) -> None:
    assert said in _problem(model_id, **{name: value})


def test_everything_that_is_wrong_is_told_at_once() -> None:
    problems = check_request(
        model("flux-fill-dev"),
        prompt="  ",
        roles=[SOURCE, SOURCE, DATASET],
        parameters={"num_outputs": 9, "gidance": 2.0},
    )
    assert [one.field for one in problems] == [
        "prompt",
        "inputs[1].role",
        "inputs[2].role",
        "inputs",
        "parameters[num_outputs]",
        "parameters[gidance]",
    ]
    assert "takes: SOURCE, MASK" in problems[2].message
    assert "MASK" in problems[3].message


def test_a_prompt_is_refused_where_none_is_taken_and_missed_where_one_is_needed() -> None:
    (unwanted,) = check_request(model("pixal3d"), prompt="x", roles=[SOURCE], parameters={})
    assert "takes no prompt" in unwanted.message
    (missing,) = check_request(model("flux-pro"), prompt=None, roles=[], parameters={})
    assert "needs a prompt" in missing.message
    (long,) = check_request(model("flux-pro"), prompt="x" * 8193, roles=[], parameters={})
    assert "8192" in long.message
    assert check_request(model("segmind-aura-flow"), prompt=None, roles=[], parameters={}) == []


def test_a_required_parameter_is_missed() -> None:
    """No page has one so far; the next may."""
    pixal3d = model("pixal3d")
    strict = msgspec.structs.replace(
        pixal3d,
        parameters=(msgspec.structs.replace(pixal3d.parameters[0], required=True),),
    )
    (missing,) = check_request(strict, prompt=None, roles=[SOURCE], parameters={})
    assert missing.field == "parameters[seed]"
    assert check_request(strict, prompt=None, roles=[SOURCE], parameters={"seed": 1}) == []


@pytest.mark.parametrize(
    ("model_id", "role", "field", "sent"),
    [
        ("pixal3d", SOURCE, "image_url", "u"),
        ("flux-dev-image-to-image", SOURCE, "image_url", "u"),
        ("flux-2-pro-image-to-image", SOURCE, "image_urls", ["u"]),
        ("flux-kontext-restore", SOURCE, "input_image", "u"),
        ("flux-fill-dev", SOURCE, "image", "u"),
        ("flux-fill-dev", MASK, "mask", "u"),
        ("flux-2-pro-text-to-image-trainer", DATASET, "image_data_url", "u"),
        ("flux-2-pro-image-to-image-trainer", DATASET, "image_data_url", "u"),
    ],
)
def test_a_role_becomes_the_models_own_field(
    model_id: str, role: InputRole, field: str, sent: object
) -> None:
    body = request_body(model(model_id), prompt=None, addresses={role: "u"}, parameters={})
    assert body == {field: sent}


def test_every_input_of_the_catalog_is_among_those_fields() -> None:
    """So a new one cannot slip past the test above."""
    found = {spec.field for one in CATALOG for spec in one.inputs}
    fields = {"image_url", "image_urls", "input_image", "image", "mask", "image_data_url"}
    assert found == fields


def test_a_whole_number_serves_where_a_number_is_asked_for() -> None:
    body = request_body(
        model("pixal3d"), prompt=None, addresses={}, parameters={"mesh_scale": 2, "seed": 2}
    )
    assert [type(value) for value in body.values()] == [float, int]


def test_what_was_not_given_is_not_sent() -> None:
    """The provider's default may change; ours would not."""
    assert request_body(model("pixal3d"), prompt=None, addresses={}, parameters={}) == {}


def test_an_unlisted_value_of_an_open_list_passes_with_a_warning() -> None:
    aura = model("segmind-aura-flow")
    assert check_parameters(aura, {"sampler": "ddim"}) == []
    (warning,) = warnings(aura, {"sampler": "ddim", "scheduler": "karras", "cfg": 3})
    assert "'ddim'" in warning
    assert "sampler" in warning
    assert warnings(aura, {"sampler": "euler"}) == []
    (size,) = warnings(model("flux-1-schnell-batch"), {"width": 640, "height": 512})
    assert "640" in size


def test_the_nearest_name_is_named_only_when_it_is_near() -> None:
    assert nearest("pixal3", CATALOG.ids) == "pixal3d"
    assert nearest("zzzz", CATALOG.ids) is None
