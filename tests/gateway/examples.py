"""Each page's example request, typed in from the page: what is asked here, what goes out there.

The prompts are our own; every other name, value and type is the page's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.gateway.models import Auth, InputRole, ParameterValue

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE, MASK, DATASET = InputRole.SOURCE, InputRole.MASK, InputRole.DATASET
_PICTURE = "https://example.com/a.png"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request in our words, and the body of the page."""

    model: str
    path: str
    body: Mapping[str, object]
    prompt: str | None = None
    inputs: Mapping[InputRole, str] = field(default_factory=dict)
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    auth: Auth = Auth.SUBSCRIPTION_KEY


_PIXAL3D: dict[str, ParameterValue] = {
    "resolution": 1024,
    "ss_guidance_strength": 7.5,
    "ss_guidance_rescale": 0.7,
    "ss_sampling_steps": 12,
    "ss_rescale_t": 5,
    "shape_slat_guidance_strength": 7.5,
    "shape_slat_guidance_rescale": 0.5,
    "shape_slat_sampling_steps": 12,
    "shape_slat_rescale_t": 3,
    "tex_slat_guidance_strength": 1,
    "tex_slat_sampling_steps": 12,
    "tex_slat_rescale_t": 3,
    "mesh_scale": 1,
    "max_num_tokens": 49152,
    "decimation_target": 200000,
    "texture_size": 2048,
    "remesh": True,
}
_AURA: dict[str, ParameterValue] = {
    "cfg": 5,
    "seed": 2425367,
    "shift": 1.73,
    "steps": 25,
    "width": 1024,
    "height": 1024,
    "sampler": "uni_pc",
    "scheduler": "normal",
    "output_format": "webp",
    "output_quality": 80,
    "number_of_images": 1,
}
_SCHNELL: dict[str, ParameterValue] = {"num_steps": 4, "seed": 15, "height": 512, "width": 512}
_SIZED: dict[str, ParameterValue] = {"steps": 25, "width": 1024, "height": 1024}

EXAMPLES = (
    Example(
        model="pixal3d",
        path="/pixal3d/v1/pixal3d-request",
        inputs={SOURCE: _PICTURE},
        parameters=_PIXAL3D,
        body={"image_url": _PICTURE, **_PIXAL3D},
    ),
    Example(
        model="auraflow-v0-3",
        path="/auraflow-v0-3-512/v1/auraflow-v0-3-request",
        prompt="an iguana",
        parameters={
            "num_images": 1,
            "guidance_scale": 3.5,
            "num_inference_steps": 50,
            "expand_prompt": True,
        },
        body={
            "prompt": "an iguana",
            "num_images": 1,
            "guidance_scale": 3.5,
            "num_inference_steps": 50,
            "expand_prompt": True,
        },
    ),
    Example(
        model="flux-2-pro-text-to-image",
        path="/flux-2-pro-text-to-image-799/v1/flux-2-pro-text-to-image-request",
        prompt="a knight",
        parameters={
            "image_size": "landscape_4_3",
            "safety_tolerance": 2,
            "enable_safety_checker": True,
            "output_format": "jpeg",
        },
        body={
            "prompt": "a knight",
            "image_size": "landscape_4_3",
            "safety_tolerance": 2,
            "enable_safety_checker": True,
            "output_format": "jpeg",
        },
    ),
    Example(
        model="flux-2-pro-image-to-image",
        path="/flux-2-pro-image-to-image-866/v1/flux-2-pro-image-to-image-request",
        prompt="a cup",
        inputs={SOURCE: _PICTURE},
        parameters={
            "image_size": "auto",
            "safety_tolerance": "2",
            "enable_safety_checker": True,
            "output_format": "jpeg",
        },
        body={
            "prompt": "a cup",
            "image_size": "auto",
            "safety_tolerance": "2",
            "enable_safety_checker": True,
            "output_format": "jpeg",
            "image_urls": [_PICTURE],
        },
    ),
    Example(
        model="flux-2-pro-text-to-image-trainer",
        path="/flux-2-pro-text-to-image-trainer-712/v1/flux-2-pro-text-to-image-trainer-request",
        inputs={DATASET: "https://example.com/dataset.zip"},
        parameters={"steps": 1500, "learning_rate": 0.00003},
        body={
            "image_data_url": "https://example.com/dataset.zip",
            "steps": 1500,
            "learning_rate": 0.00003,
        },
    ),
    Example(
        model="flux-2-pro-image-to-image-trainer",
        path="/flux-2-pro-image-to-image-trainer-831/v1/flux-2-pro-image-to-image-trainer-request",
        inputs={DATASET: "https://example.com/style.jpg"},
        parameters={"steps": 1200, "learning_rate": 0.00007},
        body={
            "image_data_url": "https://example.com/style.jpg",
            "steps": 1200,
            "learning_rate": 0.00007,
        },
    ),
    Example(
        model="flux-kontext-restore",
        path="/flux-kontext-restore-image/v1/flux-kontext-restore-image/generate",
        inputs={SOURCE: _PICTURE},
        parameters={"seed": 42, "output_format": "png", "safety_tolerance": 2},
        body={
            "input_image": _PICTURE,
            "seed": 42,
            "output_format": "png",
            "safety_tolerance": 2,
        },
    ),
    Example(
        model="flux-pro-1-1-ultra",
        path="/pro1.1/v1/pro1.1ultra/generateRequest",
        prompt="a city",
        parameters={"seed": 43, "output_format": "jpeg", "aspect_ratio": "16:9"},
        body={"prompt": "a city", "seed": 43, "output_format": "jpeg", "aspect_ratio": "16:9"},
    ),
    Example(
        model="flux-pro",
        path="/flux-pro/v1/pro/textToImage",
        prompt="a city",
        parameters={"image_size": "landscape_4_3"},
        body={"prompt": "a city", "image_size": "landscape_4_3"},
    ),
    Example(
        model="flux-dev-text-to-image",
        path="/flux-dev/v1/dev/textToImage",
        prompt="a city",
        parameters={"image_size": "landscape_4_3"},
        body={"prompt": "a city", "image_size": "landscape_4_3"},
    ),
    Example(
        model="flux-dev-image-to-image",
        path="/flux-dev/v1/dev/imageToImage",
        prompt="a rooftop",
        inputs={SOURCE: _PICTURE},
        body={"image_url": _PICTURE, "prompt": "a rooftop"},
    ),
    Example(
        model="flux-fill-dev",
        path="/flux-fill-dev/v1/flux-fill/generate",
        prompt="a ship",
        inputs={SOURCE: "https://example.com/photo.png", MASK: "https://example.com/mask.png"},
        parameters={
            "seed": 42,
            "guidance": 35,
            "num_outputs": 2,
            "num_inference_steps": 35,
            "output_format": "png",
            "output_quality": 95,
        },
        body={
            "prompt": "a ship",
            "image": "https://example.com/photo.png",
            "mask": "https://example.com/mask.png",
            "seed": 42,
            "guidance": 35,
            "num_outputs": 2,
            "num_inference_steps": 35,
            "output_format": "png",
            "output_quality": 95,
        },
    ),
    Example(
        model="flux-2-klein-4b",
        path="/flux-2-klein-4b/v1/generateImage",
        prompt="a dog",
        parameters=_SIZED,
        body={"prompt": "a dog", "steps": 25, "width": 1024, "height": 1024},
    ),
    Example(
        model="flux-2-dev",
        path="/generateT2I",
        auth=Auth.SECRET_KEY,
        prompt="the alps",
        parameters=_SIZED,
        body={"prompt": "the alps", "steps": 25, "width": 1024, "height": 1024},
    ),
    Example(
        model="flux-1-schnell",
        path="/flux-1-schnell/v1/getData",
        prompt="a car",
        parameters=_SCHNELL,
        body={"prompt": "a car", "num_steps": 4, "seed": 15, "height": 512, "width": 512},
    ),
    Example(
        model="flux-1-schnell-batch",
        path="/flux-1-schnell/v1/getDataBatch",
        auth=Auth.SECRET_KEY,
        prompt="a dancer",
        parameters=_SCHNELL,
        body={"prompt": "a dancer", "num_steps": 4, "seed": 15, "height": 512, "width": 512},
    ),
    Example(
        model="segmind-aura-flow",
        path="/v1/aura-flow",
        auth=Auth.API_KEY,
        prompt="a card",
        parameters=_AURA,
        body={"prompt": "a card", **_AURA},
    ),
)
