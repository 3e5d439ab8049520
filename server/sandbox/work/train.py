"""A small adapter file in the safetensors format, made from what a data set looks like.

Format: https://github.com/huggingface/safetensors: an eight-byte little-endian length, a JSON
header of that length, then the tensors' bytes.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from server.sandbox.work.jobs import TrainJob

__all__ = ["train", "write_safetensors"]

_RANK = 4
_MOST_STEPS = 10**6  # More make no difference; JSON has integers that no float can hold.
_LAYERS = ("double_blocks.0.img_attn.proj", "single_blocks.0.linear1")
_ALIGNMENT = 8  # The format asks that tensors start at a multiple of their element size.
_NOTE = "Made by Assetwright's sandbox from average colours. Not the result of a training."


def train(job: TrainJob, pictures: Sequence[Image.Image]) -> bytes:
    """Make an adapter of four small tensors. The same job and pictures give the same bytes."""
    looks = np.stack([np.asarray(one, dtype=np.float32) / 255 for one in pictures])
    # Columns of pixels stand in for activations; their covariance has the shape of a LoRA update.
    columns = looks.mean(axis=0).reshape(len(looks[0]), -1)
    left, weight, right = np.linalg.svd(columns - columns.mean(), full_matrices=False)
    far = min(1.0, job.learning_rate * min(job.steps, _MOST_STEPS))
    scale = np.sqrt(weight[:_RANK] * far).astype(np.float32)
    tensors = {}
    for layer in _LAYERS:
        tensors[f"{layer}.lora_A.weight"] = scale[:, None] * right[:_RANK]
        tensors[f"{layer}.lora_B.weight"] = left[:, :_RANK] * scale
    metadata = {
        "format": "pt",
        "sandbox": "true",
        "note": _NOTE,
        "base_model": job.base,
        "steps": str(job.steps),
        "learning_rate": repr(job.learning_rate),
        "images": str(len(pictures)),
    }
    return write_safetensors(tensors, metadata)


def write_safetensors(
    tensors: Mapping[str, NDArray[np.float32]], metadata: Mapping[str, str]
) -> bytes:
    """Write single-precision tensors in the order of their names."""
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    data = b""
    for name in sorted(tensors):
        values = np.ascontiguousarray(tensors[name], dtype="<f4")
        span = [len(data), len(data) + values.nbytes]
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": span}
        data += values.tobytes()
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return struct.pack("<Q", len(text)) + text + data
