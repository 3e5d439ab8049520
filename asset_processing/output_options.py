"""What a caller may ask to have beside the GLB, and written into it about its origin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["ExportFormat", "Provenance"]


class ExportFormat(Enum):
    """A format to have the model in as well."""

    OBJ = "obj"  # With its MTL and textures, in a ZIP.
    STL = "stl"  # Binary.
    PLY = "ply"  # Binary.
    GLTF = "gltf"  # With its buffer and images as files, in a ZIP.


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where an asset comes from. What is None is not written.

    Attributes:
        model: The model that generated it.
        seed: Of the generation.
        prompt_sha256: Of the prompt as UTF-8, in hexadecimal; the prompt itself is not written.
        license_note: What may be done with it, for people.
        cost_micros: What was charged, in millionths of the currency.
        currency_code: ISO 4217.
    """

    model: str | None = None
    seed: int | None = None
    prompt_sha256: str | None = None
    license_note: str | None = None
    cost_micros: int | None = None
    currency_code: str | None = None
