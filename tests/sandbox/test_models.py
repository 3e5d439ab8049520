"""One contract test for each model: the page's own request, and the answer it documents."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from PIL import Image

from server.sandbox.models import MODELS, Auth, Currency, Model

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client, Draw, PictureHost, Start

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
CAR = "Picture a sleek, futuristic car racing through a neon-lit cityscape"
CITY = "A futuristic cityscape at sunset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a page shows and what must come of it.

    Attributes:
        body: The page's example, its input addresses aside.
        kind: What the bytes of the result are.
        size: Width and height of the picture.
        price: What the page's table asks.
        declared: The payload's `media_type`.
        count: How many files.
    """

    body: dict[str, Any]
    kind: str
    size: tuple[int, int] | None
    price: str
    declared: str = "application/octet-stream"
    count: int = 1


QUEUED = {
    "pixal3d": Case(
        body={"decimation_target": 600, "texture_size": 1024, "resolution": 1024, "remesh": True},
        kind="GLB", size=None, price="0.30", declared="model/glb",
    ),
    "auraflow-v0-3-512": Case(
        body={"prompt": "Close-up portrait of a majestic iguana", "num_images": 1,
              "guidance_scale": 3.5, "num_inference_steps": 50, "expand_prompt": True},
        kind="PNG", size=(1024, 1024), price="0.001",
    ),
    "flux-2-pro-text-to-image-799": Case(
        body={"prompt": "An intense close-up of knight's visor", "image_size": "landscape_4_3",
              "safety_tolerance": 2, "enable_safety_checker": True, "output_format": "jpeg"},
        kind="JPEG", size=(1024, 768), price="0.06",
    ),
    "flux-2-pro-image-to-image-866": Case(
        body={"prompt": "Place realistic flames above the rim", "image_size": "auto",
              "safety_tolerance": "2", "enable_safety_checker": True, "output_format": "jpeg"},
        kind="JPEG", size=(256, 256), price="0",
    ),
    "flux-2-pro-text-to-image-trainer-712": Case(
        body={"steps": 1500, "learning_rate": 0.00003}, kind="SAFETENSORS", size=None, price="8",
    ),
    "flux-2-pro-image-to-image-trainer-831": Case(
        body={"steps": 1200, "learning_rate": 0.00007}, kind="SAFETENSORS", size=None, price="0",
    ),
    "flux-kontext-restore-image": Case(
        body={"seed": 42, "output_format": "png", "safety_tolerance": 2},
        kind="PNG", size=(256, 256), price="0.04", declared="image/png",
    ),
    "flux-pro-1-1": Case(
        body={"prompt": CITY, "seed": 43, "output_format": "jpeg", "aspect_ratio": "16:9"},
        kind="JPEG", size=(2048, 1152), price="0.08",
    ),
    "flux-pro": Case(
        body={"prompt": CITY, "image_size": "landscape_4_3"},
        kind="JPEG", size=(1024, 768), price="0.03",
    ),
    "flux-dev-text-to-image": Case(
        body={"prompt": CITY, "image_size": "square", "num_images": 3, "output_format": "png"},
        kind="PNG", size=(512, 512), price="0.025", count=3,
    ),
    "flux-dev-image-to-image": Case(
        body={"prompt": "Editorial rooftop shot, bold blue tones, polished aesthetic."},
        kind="JPEG", size=(256, 256), price="0.025",
    ),
    "flux-fill-dev": Case(
        body={"prompt": "a futuristic spaceship with neon lights", "seed": 42, "guidance": 35,
              "num_outputs": 2, "num_inference_steps": 35, "output_format": "png",
              "output_quality": 95, "megapixels": "match_input"},
        kind="PNG", size=(256, 256), price="0.04", declared="image/png", count=2,
    ),
}  # fmt: skip


def archive(draw: type[Draw]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as found:
        for number in range(3):
            found.writestr(f"train/{number}.png", draw.disc(radius=40 + 10 * number))
            found.writestr(f"train/{number}.txt", "a disc")
    return buffer.getvalue()


def inputs(model: Model, host: PictureHost) -> dict[str, object]:
    names = {"image_urls": [host.url("disc.png")], "image_data_url": host.url("set.zip")}
    return {name: names.get(name, host.url("disc.png")) for name in model.sources}


def assert_is(data: bytes, kind: str, size: tuple[int, int] | None) -> None:
    if kind == "GLB":
        assert data[:4] == b"glTF"
    elif kind == "SAFETENSORS":
        assert set(tensors(data)[0]) >= {"sandbox", "note"}
    else:
        image = Image.open(io.BytesIO(data))
        image.load()
        assert (image.format, image.size) == (kind, size)
        assert "sandbox" in str(image.info.get("Comment") or image.getexif()[0x010E])


def tensors(data: bytes) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Read a safetensors file with nothing but the format's own rules."""
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    body, found, end = data[8 + length :], {}, 0
    for name, entry in sorted(header.items(), key=lambda one: one[1]["data_offsets"]):
        first, last = entry["data_offsets"]
        assert (first, entry["dtype"]) == (end, "F32")  # No gap, no overlap.
        end = last
        found[name] = np.frombuffer(body[first:last], "<f4").reshape(entry["shape"])
    assert end == len(body)
    return metadata, found


async def without(client: Client, path: str, header: str, body: dict[str, Any]) -> int:
    """Ask with every key but the right one."""
    keys = {auth.value: "a key" for auth in Auth if auth.value != header}
    async with httpx.AsyncClient(base_url=client.sandbox.base_url, trust_env=False) as http:
        return (await http.post(path, json=body, headers=keys)).status_code


@pytest.mark.parametrize("name", QUEUED)
async def test_a_queued_model_answers_its_page(
    start: Start, host: PictureHost, draw: type[Draw], name: str
) -> None:
    model, case = MODELS[name], QUEUED[name]
    host.files["set.zip"] = archive(draw)
    client = await start(wallet_usd=Decimal(10))
    body = inputs(model, host) | case.body
    assert await without(client, model.path, "Ocp-Apim-Subscription-Key", body) == 401
    reply = await client.http.post(model.path, json=body)
    accepted = reply.json()
    assert (reply.status_code, list(accepted)) == (202, ["request_id", "status", "polling_url"])
    assert re.fullmatch(f"{re.escape(model.model_id)}_{UUID}", accepted["request_id"])
    ended = await client.end(accepted["request_id"])
    assert (ended["status"], ended["model_id"]) == ("COMPLETED", model.model_id), ended
    assert ended["output"]["media_type"] == case.declared
    urls = ended["output"]["media_url"]
    assert len(set(urls)) == len(urls) == case.count
    hidden = case.declared == "application/octet-stream"
    for url in urls:
        assert url.endswith(".ext") == hidden
        media = await client.http.get(url)
        assert (media.headers["content-type"] == "application/octet-stream") == hidden
        assert_is(media.content, case.kind, case.size)
    assert client.sandbox.wallet.spent == Decimal(case.price)
    (shown,) = (await client.http.get("/sandbox/submissions")).json()["submissions"]
    assert (shown["model"], shown["price_usd"]) == (name, str(client.sandbox.wallet.spent))


SYNCHRONOUS = {
    "flux-2-klein-4b": Case(
        body={"prompt": "A dog playing on the beach", "steps": 25, "width": 512, "height": 512},
        kind="PNG", size=(512, 512), price="0.0003",
    ),
    "flux-2-dev": Case(
        body={"prompt": "a sunset at the alps", "steps": 25, "width": 768, "height": 512},
        kind="PNG", size=(768, 512), price="0",
    ),
    "flux-1-schnell": Case(
        body={"prompt": CAR, "num_steps": 4, "seed": 15, "height": 512, "width": 512},
        kind="PNG", size=(512, 512), price="0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SYNCHRONOUS)
async def test_a_synchronous_model_answers_with_an_address_alone(start: Start, name: str) -> None:
    model, case = MODELS[name], SYNCHRONOUS[name]
    client = await start(wallet_usd=Decimal(10))
    assert await without(client, model.path, model.auth.value, case.body) == 401
    reply = await client.http.post(model.path, json=case.body)
    assert (reply.status_code, list(reply.json())) == (200, ["output"])
    assert reply.json()["output"].endswith(".png")
    media = await client.http.get(reply.json()["output"])
    assert media.headers["content-type"] == "image/png"
    assert_is(media.content, case.kind, case.size)
    assert client.sandbox.wallet.spent == Decimal(case.price)
    assert len(client.sandbox.submissions()) == 1


def test_the_secret_key_is_asked_for_where_the_page_shows_it() -> None:
    secret = {name for name, model in MODELS.items() if model.auth is Auth.SECRET}
    assert secret == {"flux-2-dev", "flux-1-schnell-batch"}
    assert {model.auth for model in MODELS.values() if model.currency is Currency.CREDITS} == {
        Auth.SEGMIND
    }


@pytest.mark.parametrize(
    ("side", "price"), [(512, "0.0003"), (1024, "0.0007"), (1448, "0.0014"), (2048, "0.0028")]
)
def test_klein_costs_by_size(side: int, price: str) -> None:
    klein = MODELS["flux-2-klein-4b"]
    assert klein.price({"width": side, "height": side}) == Decimal(price)
    assert klein.price({"width": side, "height": 512}) <= Decimal(price)


async def test_the_refusal_of_fill_names_its_price_as_its_page_does(
    start: Start, host: PictureHost
) -> None:
    client = await start(wallet_usd=Decimal("0.03"))
    fill = MODELS["flux-fill-dev"]
    reply = await client.http.post(fill.path, json={"prompt": "a crate", **inputs(fill, host)})
    assert reply.status_code == 402
    assert reply.json() == {
        "error": "Insufficient Balance",
        "message": "Your wallet does not have enough balance. Required: $0.04",
    }


AURA = {"prompt": "a red mushroom", "seed": 7, "width": 512, "height": 640}


@pytest.mark.parametrize(("kind", "media"), [("webp", "webp"), ("jpg", "jpeg"), ("png", "png")])
async def test_segmind_answers_with_the_picture_itself(start: Start, kind: str, media: str) -> None:
    client = await start(credits=Decimal("0.05"))
    assert await without(client, "/v1/aura-flow", "x-api-key", AURA) == 401
    reply = await client.http.post("/v1/aura-flow", json=AURA | {"output_format": kind})
    assert reply.status_code == 200
    assert reply.headers["content-type"] == f"image/{media}"
    assert reply.headers["x-remaining-credits"] == "0.04"
    assert_is(reply.content, media.upper(), (512, 640))
    (shown,) = (await client.http.get("/sandbox/submissions")).json()["submissions"]
    assert shown["price_credits"] == "0.01"


async def test_segmind_takes_a_form_as_its_other_page_shows(start: Start) -> None:
    client = await start()
    as_json = await client.http.post("/v1/aura-flow", json=AURA)
    form = {name: (None, str(value)) for name, value in AURA.items()}
    as_form = await client.http.post("/v1/aura-flow", files=form)
    assert as_form.status_code == 200
    assert as_form.content == as_json.content
    wrong = await client.http.post("/v1/aura-flow", files=form | {"width": (None, "wide")})
    assert wrong.json() == {"error": "width must be an integer in [512, 2048]"}


async def test_segmind_says_406_when_credits_run_out(start: Start) -> None:
    client = await start(credits=Decimal("0.02"))
    asked = AURA | {"number_of_images": 3}
    refused = await client.http.post("/v1/aura-flow", json=asked)
    assert refused.status_code == 406
    assert refused.headers["x-remaining-credits"] == "0.02"
    await client.fault(fault="insufficient_balance")
    assert (await client.http.post("/v1/aura-flow", json=AURA)).status_code == 406
    assert client.sandbox.submissions() == ()


async def test_restoration_calls_the_webhook_of_its_body_for_the_events_asked(
    start: Start, host: PictureHost
) -> None:
    client = await start()
    path = MODELS["flux-kontext-restore-image"].path
    body = {"input_image": host.url("disc.png"), "webhook": host.url("hook")}
    await client.fault(fault="fail", count=2)
    await client.make(path, **body, webhook_events_filter=["completed"])
    ended = await client.make(path, **body, webhook_events_filter=["completed", "failed"])
    await host.wait_for_callbacks(1)
    assert host.callbacks == [ended]


async def test_a_trainer_takes_pictures_inside_the_body(start: Start, draw: type[Draw]) -> None:
    client = await start()
    path = MODELS["flux-2-pro-image-to-image-trainer-831"].path
    plain = draw.base64(draw.disc())
    results = []
    for value in (plain, f"data:image/png;base64,{plain}"):
        ended = await client.make(path, image_data_url=value, steps=10)
        (url,) = ended["output"]["media_url"]
        results.append((await client.http.get(url)).content)
    assert results[0] == results[1]
    assert tensors(results[0])[0]["images"] == "1"
