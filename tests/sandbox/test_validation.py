"""What is refused with 4xx before anything is charged or queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.sandbox.errors import InvalidRequest
from server.sandbox.models import MODELS, Model, Protocol, parse_generation
from server.sandbox.webhooks import parse_webhook
from server.sandbox.work import MeshJob

if TYPE_CHECKING:
    from server.sandbox.mesh import MeshOptions
    from tests.sandbox.conftest import Start

URL = "http://example.com/a.png"
PIXAL3D = MODELS["pixal3d"]
RESTORE = MODELS["flux-kontext-restore-image"]

PUBLISHED = {
    "image_url": URL, "seed": 7, "resolution": 1024, "ss_guidance_strength": 7.5,
    "ss_guidance_rescale": 0.7, "ss_sampling_steps": 12, "ss_rescale_t": 5,
    "shape_slat_guidance_strength": 7.5, "shape_slat_guidance_rescale": 0.5,
    "shape_slat_sampling_steps": 12, "shape_slat_rescale_t": 3, "tex_slat_guidance_strength": 1,
    "tex_slat_guidance_rescale": 0.5, "tex_slat_sampling_steps": 12, "tex_slat_rescale_t": 3,
    "mesh_scale": 1, "max_num_tokens": 49152, "decimation_target": 200000, "texture_size": 2048,
    "remesh": True,
}  # fmt: skip


def options_of(body: object) -> MeshOptions:
    job = parse_generation(body, PIXAL3D).job
    assert isinstance(job, MeshJob)
    return job.options


def test_every_published_parameter_is_known_and_accepted_with_its_own_example() -> None:
    assert set(PIXAL3D.parameters) == set(PUBLISHED)
    assert options_of(PUBLISHED).seed == 7


def test_left_out_parameters_have_the_published_defaults() -> None:
    options = options_of({"image_url": URL})
    assert (options.decimation_target, options.texture_size, options.mesh_scale) == (
        200_000,
        2048,
        1,
    )
    assert options.seed is None


@pytest.mark.parametrize("name", sorted(PIXAL3D.parameters))
@pytest.mark.parametrize("value", [None, [], {}, "text", "", "ftp://example.com/a.png", "http://"])
def test_no_parameter_takes_a_value_of_another_type(name: str, value: object) -> None:
    with pytest.raises(InvalidRequest, match=name):
        parse_generation(PUBLISHED | {name: value}, PIXAL3D)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("resolution", 2048),
        ("texture_size", 512),
        ("texture_size", 2048.0),
        ("texture_size", True),
        ("decimation_target", 0),
        ("decimation_target", 1000.5),
        ("decimation_target", True),
        ("mesh_scale", 0),
        ("mesh_scale", float("inf")),
        ("mesh_scale", float("nan")),
        ("mesh_scale", 10**400),
        ("ss_sampling_steps", -1),
        ("seed", 1.5),
        ("remesh", 1),
        ("image_url", "http://[bad/a.png"),
    ],
)
def test_values_outside_type_or_enum_are_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidRequest, match=name):
        parse_generation(PUBLISHED | {name: value}, PIXAL3D)


async def test_a_validation_error_has_error_alone_and_queues_nothing(start: Start) -> None:
    client = await start()
    reply = await client.submit(image_url=URL, texture_size=512)
    assert reply.status_code == 400
    assert reply.json() == {"error": "texture_size must be one of: 1024, 2048, 4096"}
    assert client.sandbox.submissions() == ()


async def test_unusable_bodies_get_a_clear_4xx(start: Start) -> None:
    client = await start(max_body_bytes=64 * 1024)
    form, kind = "application/x-www-form-urlencoded", "application/json"
    for content, sent_as, status in (
        (b"{}", kind, 400),
        (b"[]", kind, 400),
        (b"{", kind, 400),
        (b"[" * 50_000, kind, 400),
        (b"\xff\xfe\x00", kind, 400),
        (b'{"image_url": "http://a/", "wings": 2}', kind, 400),
        (b"image_url=http://a/", form, 415),
        (b'{"image_url": "' + b"a" * 70_000 + b'"}', kind, 413),
    ):
        reply = await client.http.post(
            "/pixal3d/v1/pixal3d-request", content=content, headers={"Content-Type": sent_as}
        )
        assert reply.status_code == status
        assert reply.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-webhook-url": "http://example.com/hook"},
        {"x-webhook-url": "ftp://127.0.0.1/hook"},
        {"x-webhook-url": "https://"},
        {"x-webhook-url": "https://example.com/hook", "x-webhook-mode": "often"},
    ],
)
def test_webhooks_must_be_https_with_a_known_mode(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="X-Webhook"):
        parse_webhook(headers, parse_generation(PUBLISHED, PIXAL3D))


async def test_a_bad_webhook_is_400_over_http(start: Start) -> None:
    client = await start()
    reply = await client.submit(image_url=URL, headers={"X-Webhook-URL": "http://example.com/"})
    assert reply.status_code == 400
    assert reply.json() == {"error": "X-Webhook-URL must be an HTTPS URL"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_image": 5}, "input_image is required and must be a string URL"),
        ({"input_image": "photo.png"}, "input_image must be a valid URL"),
        ({"output_format": "webp"}, "output_format must be one of: jpg, png"),
        ({"safety_tolerance": 3}, "safety_tolerance must be an integer in [0, 2]"),
        ({"safety_tolerance": "2"}, "safety_tolerance must be an integer in [0, 2]"),
        ({"seed": -1}, "seed must be a non-negative integer"),
        ({"webhook": "http://example.com/hook"}, "Invalid webhook URL"),
    ],
)
def test_restoration_refuses_in_the_published_words(
    change: dict[str, object], message: str
) -> None:
    """The one model whose page shows its validation errors."""
    with pytest.raises(InvalidRequest) as refused:
        parse_webhook({}, parse_generation({"input_image": URL} | change, RESTORE))
    assert str(refused.value) == message


def test_a_missing_input_is_refused_in_the_published_words() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_generation({}, RESTORE)
    assert str(refused.value) == "input_image is required and must be a string URL"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("flux-2-pro-image-to-image-866", {"safety_tolerance": 2}),
        ("flux-2-pro-image-to-image-866", {"image_urls": []}),
        ("flux-2-pro-image-to-image-866", {"image_size": "landscape_4_3"}),
        ("flux-2-pro-image-to-image-866", {"image_size": "0x512"}),
        ("flux-2-pro-text-to-image-799", {"safety_tolerance": "2"}),
        ("flux-2-pro-text-to-image-799", {"image_size": "square_hd"}),
        ("flux-pro-1-1", {"safety_tolerance": 2}),
        ("flux-pro-1-1", {"aspect_ratio": "5:4"}),
        ("flux-pro-1-1", {"output_format": "webp"}),
        ("flux-pro", {"image_size": "square_1_1"}),
        ("flux-dev-text-to-image", {"acceleration": "max"}),
        ("flux-dev-image-to-image", {"strength": 1.5}),
        ("flux-fill-dev", {"num_outputs": 5}),
        ("flux-fill-dev", {"megapixels": 1}),
        ("flux-2-klein-4b", {"width": 768}),
        ("flux-2-dev", {"width": 0}),
        ("flux-1-schnell", {"num_steps": 9}),
        ("flux-1-schnell-batch", {"webhook_url": 5}),
        ("aura-flow", {"width": 511}),
        ("aura-flow", {"scheduler": "fast"}),
        ("flux-2-pro-text-to-image-trainer-712", {"image_data_url": "not an address"}),
        ("flux-2-pro-text-to-image-trainer-712", {"learning_rate": 0}),
        ("auraflow-v0-3-512", {"expand_prompt": "yes"}),
    ],
)
def test_each_page_has_its_own_vocabulary(name: str, change: dict[str, object]) -> None:
    """A word that one page allows is refused where another page does not have it."""
    (field,) = change
    with pytest.raises(InvalidRequest, match=field):
        parse_generation(smallest(MODELS[name]) | change, MODELS[name])


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_what_a_page_requires_is_enough_and_nothing_else_is_known(model: Model) -> None:
    body = smallest(model)
    assert parse_generation(body, model).body == body
    with pytest.raises(InvalidRequest, match="Unknown parameter 'wings'"):
        parse_generation(body | {"wings": 2}, model)
    for name in body:
        with pytest.raises(InvalidRequest, match=f"{name} is required"):
            parse_generation({k: v for k, v in body.items() if k != name}, model)


def test_an_unlisted_sampler_passes() -> None:
    """Segmind's page lists 11 of 28."""
    assert parse_generation({"sampler": "res_multistep"}, MODELS["aura-flow"])


def test_there_are_seventeen_models_each_at_its_own_path() -> None:
    assert len(MODELS) == len({model.path for model in MODELS.values()}) == 17
    assert sum(model.protocol is Protocol.QUEUED for model in MODELS.values()) == 12


def smallest(model: Model) -> dict[str, object]:
    """A body with what the page requires alone."""
    usual = {"prompt": "a crate", "image_urls": [URL]}
    return {k: usual.get(k, URL) for k, found in model.parameters.items() if found.required}
