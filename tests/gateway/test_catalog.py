"""The catalog says what the published pages say."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from server.gateway.models import Catalog, ModelTask, Parameter, ProtocolKind
from server.gateway.parameters import check_request, request_body
from tests.gateway.examples import EXAMPLES, Example
from tests.gateway.wire import CATALOG, model

if TYPE_CHECKING:
    from pathlib import Path

_SIZES = "square_hd, square, portrait_4_3, portrait_16_9, landscape_4_3, landscape_16_9"
_SCHNELL_SIZES = "512, 768, 1024, 1280, 1536, 1920"
_DEV_SIZES = "512, 768, 1024, 1280, 1536, 2048"
_KLEIN_SIZES = "512, 1024, 1448, 2048"
# Name, type, default after "=", range as "low..high", values in braces; "+": more than those.
_PAGES = f"""
pixal3d
  seed int
  resolution int =1024 {{1024, 1536}}
  ss_guidance_strength float =7.5
  ss_guidance_rescale float =0.7
  ss_sampling_steps int =12
  ss_rescale_t float =5.0
  shape_slat_guidance_strength float =7.5
  shape_slat_guidance_rescale float =0.5
  shape_slat_sampling_steps int =12
  shape_slat_rescale_t float =3.0
  tex_slat_guidance_strength float =1.0
  tex_slat_guidance_rescale float
  tex_slat_sampling_steps int =12
  tex_slat_rescale_t float =3.0
  mesh_scale float =1.0
  max_num_tokens int =49152
  decimation_target int =200000
  texture_size int =2048 {{1024, 2048, 4096}}
  remesh bool =True
auraflow-v0-3
  num_images int
  guidance_scale float
  num_inference_steps int
  expand_prompt bool
flux-2-pro-text-to-image
  image_size string {{portrait_4_5, portrait_9_16, square_1_1, landscape_3_2, landscape_4_3, \
landscape_16_9, landscape_21_9}}
  safety_tolerance int 1..4
  enable_safety_checker bool
  output_format string {{jpeg, png, webp}}
flux-2-pro-image-to-image
  image_size string {{auto, 512x512, 1024x1024}}+
  safety_tolerance string {{1, 2, 3}}
  enable_safety_checker bool
  output_format string {{jpeg, png, webp}}
flux-2-pro-text-to-image-trainer
  steps int
  learning_rate float
flux-2-pro-image-to-image-trainer
  steps int
  learning_rate float
flux-kontext-restore
  seed int 0..
  output_format string =png {{jpg, png}}
  safety_tolerance int =2 0..2
flux-pro-1-1-ultra
  seed int
  sync_mode bool {{False}}
  num_images int
  enable_safety_checker bool
  output_format string {{jpeg, png}}
  safety_tolerance string {{1, 2, 3, 4, 5, 6}}
  enhance_prompt bool
  aspect_ratio string {{21:9, 16:9, 4:3, 3:2, 1:1, 2:3, 3:4, 9:16, 9:21}}
  raw bool
flux-pro
  image_size string {{{_SIZES}}}
  num_inference_steps int
  guidance_scale float
  num_images int
  enable_safety_checker bool
  output_format string {{jpeg, png}}
flux-dev-text-to-image
  image_size string {{{_SIZES}}}
  num_inference_steps int
  guidance_scale float
  num_images int
  enable_safety_checker bool
  output_format string {{jpeg, png}}
  acceleration string {{none, regular, high}}
flux-dev-image-to-image
  strength float
  num_inference_steps int
  guidance_scale float
  num_images int
  enable_safety_checker bool
  output_format string {{jpeg, png}}
  acceleration string {{none, regular, high}}
flux-fill-dev
  seed int
  guidance float =30.0
  num_outputs int =1 1..4
  num_inference_steps int =28
  megapixels string =1 {{0.25, 1, match_input}}
  output_format string =webp {{webp, jpg, png}}
  output_quality int =80 0..100
  lora_scale float =1.0
  disable_safety_checker bool =False
flux-2-klein-4b
  steps int =25
  width int =1024 {{{_KLEIN_SIZES}}}
  height int =1024 {{{_KLEIN_SIZES}}}
flux-2-dev
  steps int
  width int 1.. {{{_DEV_SIZES}}}+
  height int 1.. {{{_DEV_SIZES}}}+
flux-1-schnell
  num_steps int =4 ..8
  seed int
  height int =1024
  width int =1024
flux-1-schnell-batch
  num_steps int
  seed int
  width int {{{_SCHNELL_SIZES}}}+
  height int {{{_SCHNELL_SIZES}}}+
segmind-aura-flow
  cfg float =5.0 0..20
  height int =1024 512..2048
  negative_prompt string =
  number_of_images int =1 1..10
  output_format string =webp {{webp, jpg, png}}
  output_quality int =80 0..100
  sampler string =uni_pc {{uni_pc, euler, euler_cfg_pp, euler_ancestral, euler_ancestral_cfg_pp, \
heun, heunpp2, dpm_2, dpm_2_ancestral, lms, dpm_fast}}+
  scheduler string =normal {{normal, karras, exponential, sgm_uniform, simple, ddim_uniform}}
  seed int =2425367
  shift float =1.73 0..10
  steps int =25 1..100
  width int =1024 512..2048
"""


def _written(parameter: Parameter) -> str:
    parts = [parameter.name, parameter.type.value]
    if parameter.default is not None:
        parts.append(f"={parameter.default}")
    low, high = parameter.minimum, parameter.maximum
    if low is not None or high is not None:
        parts.append("..".join("" if one is None else f"{one:g}" for one in (low, high)))
    if parameter.allowed:
        parts.append(f"{{{', '.join(map(str, parameter.allowed))}}}" + "+" * parameter.open)
    return f"  {' '.join(parts)}"


def _tables() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in _PAGES.strip().splitlines():
        if line.startswith(" "):
            found[next(reversed(found))].append(line)
        else:
            found[line] = []
    return found


def test_there_is_an_example_and_a_table_for_each_of_the_seventeen() -> None:
    assert len(CATALOG.ids) == 17
    assert sorted(example.model for example in EXAMPLES) == list(CATALOG.ids)
    assert sorted(_tables()) == list(CATALOG.ids)


@pytest.mark.parametrize("model_id", CATALOG.ids)
def test_a_models_parameters_are_those_of_its_page(model_id: str) -> None:
    assert [_written(one) for one in model(model_id).parameters] == _tables()[model_id]
    assert not any(one.required for one in model(model_id).parameters)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.model)
def test_the_pages_example_can_be_asked_for_and_goes_out_as_it_stands(example: Example) -> None:
    """Field by field: the names, the values and their JSON types."""
    asked = model(example.model)
    assert (asked.path, asked.auth) == (example.path, example.auth)
    problems = check_request(
        asked, prompt=example.prompt, roles=example.inputs, parameters=example.parameters
    )
    assert problems == []
    body = request_body(
        asked, prompt=example.prompt, addresses=example.inputs, parameters=example.parameters
    )
    assert _typed(body) == _typed(example.body)


def _typed(body: object) -> object:
    """Tell apart what JSON tells apart: 2 and "2" and true, though not 5 and 5.0."""
    pairs = body.items() if isinstance(body, dict) else ()
    return {
        name: (type(one) if isinstance(one, bool | str | list) else "number", one)
        for name, one in pairs
    }


def test_the_protocols_and_tasks_are_those_of_the_pages() -> None:
    unusual = {one.id: one.protocol for one in CATALOG if one.protocol is not ProtocolKind.QUEUED}
    assert unusual == {
        "flux-2-klein-4b": ProtocolKind.SYNC_URL,
        "flux-2-dev": ProtocolKind.SYNC_URL,
        "flux-1-schnell": ProtocolKind.SYNC_URL,
        "flux-1-schnell-batch": ProtocolKind.BATCH,
        "segmind-aura-flow": ProtocolKind.SYNC_BYTES,
    }
    by_task = {task: {one.id for one in CATALOG if one.task is task} for task in ModelTask}
    assert by_task[ModelTask.IMAGE_TO_3D] == {"pixal3d"}
    assert by_task[ModelTask.INPAINT] == {"flux-fill-dev"}
    assert {one.split("-")[-1] for one in by_task[ModelTask.TRAIN]} == {"trainer"}
    assert by_task[ModelTask.IMAGE_TO_IMAGE] == {
        "flux-2-pro-image-to-image",
        "flux-dev-image-to-image",
        "flux-kontext-restore",
    }


def test_prompts_and_inputs_are_asked_for_where_the_page_requires_them() -> None:
    without = {one.id for one in CATALOG if one.prompt_field is None}
    assert without == {
        "pixal3d",
        "flux-kontext-restore",
        "flux-2-pro-text-to-image-trainer",
        "flux-2-pro-image-to-image-trainer",
    }
    optional = {one.id for one in CATALOG if one.prompt_field and not one.requires_prompt}
    assert optional == {"segmind-aura-flow"}
    assert all(spec.required for one in CATALOG for spec in one.inputs)
    inline = {one.id for one in CATALOG for spec in one.inputs if spec.data_uri}
    assert inline == {one.id for one in CATALOG if one.task is ModelTask.TRAIN}


def test_the_prices_are_the_published_ones() -> None:
    flat = {one.id: [str(row.usd) for row in one.prices.rows] for one in CATALOG}
    assert flat == {
        "pixal3d": ["0.30", "0.42", "0.42"],
        "auraflow-v0-3": ["0.001"],
        "flux-2-pro-text-to-image": ["0.06"],
        "flux-2-pro-image-to-image": [],
        "flux-2-pro-text-to-image-trainer": ["8"],
        "flux-2-pro-image-to-image-trainer": [],
        "flux-kontext-restore": ["0.04"],
        "flux-pro-1-1-ultra": ["0.08"],
        "flux-pro": ["0.03"],
        "flux-dev-text-to-image": ["0.025"],
        "flux-dev-image-to-image": ["0.025"],
        "flux-fill-dev": ["0.04"],
        "flux-2-klein-4b": ["0.0003", "0.0007", "0.0014", "0.0028"],
        "flux-2-dev": [],
        "flux-1-schnell": ["0"],
        "flux-1-schnell-batch": ["0"],
        "segmind-aura-flow": [],
    }


@pytest.mark.parametrize(
    ("width", "price"), [(512, "0.0003"), (1024, "0.0007"), (1448, "0.0014"), (2048, "0.0028")]
)
def test_kleins_price_follows_the_size(width: int, price: str) -> None:
    klein = model("flux-2-klein-4b")
    assert klein.prices_for({"width": width, "height": width}) == (Decimal(price),)
    assert klein.prices_for({}) == (Decimal("0.0007"),)


def test_a_size_that_is_no_square_has_no_published_price_at_klein() -> None:
    """So it needs the caller's word; a guess would break the promise of the cap."""
    assert model("flux-2-klein-4b").prices_for({"width": 512, "height": 2048}) == ()


def test_several_pictures_may_cost_several_times_the_price() -> None:
    """The page does not say; the cap has to hold either way."""
    assert model("flux-fill-dev").prices_for({"num_outputs": 3}) == (
        Decimal("0.04"),
        Decimal("0.12"),
    )
    assert model("flux-fill-dev").prices_for({}) == (Decimal("0.04"),)


NEW_MODEL = """
id = "brand-new"
display_name = "Brand New"
provider = "pixazo"
task = "image_to_image"
protocol = "sync_url"
auth = "subscription_key"
path = "/brand-new/v1/go"
page = "brand-new"
description = "Made for a test."
prompt_field = "text"

[[inputs]]
role = "source"
field = "picture"
required = true
help = "The picture."

[prices]
as_of = "2026-01-31"

[[parameters]]
name = "strength"
type = "float"
help = "How much."
"""


def test_a_new_model_on_a_known_protocol_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "brand-new.toml").write_text(NEW_MODEL)
    catalog = Catalog.load(tmp_path)
    assert len(catalog.ids) == 18
    added = catalog.get("brand-new")
    assert added is not None
    role = added.inputs[0].role
    body = request_body(added, prompt="p", addresses={role: "u"}, parameters={"strength": 1})
    assert body == {"text": "p", "picture": "u", "strength": 1.0}


def test_a_later_folder_replaces_a_model_by_its_id(tmp_path: Path) -> None:
    (tmp_path / "pixal3d.toml").write_text(NEW_MODEL.replace('"brand-new"', '"pixal3d"', 1))
    replaced = Catalog.load(tmp_path).get("pixal3d")
    assert replaced is not None
    assert replaced.display_name == "Brand New"
