"""The seventeen published models, as data: one description each."""

from types import MappingProxyType
from typing import TYPE_CHECKING

from server.sandbox.models.auraflow import AURA_FLOW, AURAFLOW_V03
from server.sandbox.models.flux_dev import (
    FLUX_DEV_IMAGE_TO_IMAGE,
    FLUX_DEV_TEXT_TO_IMAGE,
    FLUX_FILL_DEV,
    FLUX_KONTEXT_RESTORE,
)
from server.sandbox.models.flux_pro import FLUX_PRO, FLUX_PRO_1_1
from server.sandbox.models.flux_schnell import FLUX_1_SCHNELL, FLUX_1_SCHNELL_BATCH
from server.sandbox.models.flux_two import (
    FLUX_2_DEV,
    FLUX_2_KLEIN,
    FLUX_2_PRO_IMAGE_TO_IMAGE,
    FLUX_2_PRO_TEXT_TO_IMAGE,
)
from server.sandbox.models.pixal3d import PIXAL3D
from server.sandbox.models.source import Source
from server.sandbox.models.spec import (
    Auth,
    Currency,
    Generation,
    Model,
    Parameter,
    Protocol,
    parse_generation,
)
from server.sandbox.models.trainers import (
    FLUX_2_PRO_IMAGE_TO_IMAGE_TRAINER,
    FLUX_2_PRO_TEXT_TO_IMAGE_TRAINER,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MODELS",
    "Auth",
    "Currency",
    "Generation",
    "Model",
    "Parameter",
    "Protocol",
    "Source",
    "parse_generation",
]

MODELS: "Mapping[str, Model]" = MappingProxyType(
    {
        model.name: model
        for model in (
            PIXAL3D,
            AURAFLOW_V03,
            FLUX_2_PRO_TEXT_TO_IMAGE,
            FLUX_2_PRO_IMAGE_TO_IMAGE,
            FLUX_2_PRO_TEXT_TO_IMAGE_TRAINER,
            FLUX_2_PRO_IMAGE_TO_IMAGE_TRAINER,
            FLUX_KONTEXT_RESTORE,
            FLUX_PRO_1_1,
            FLUX_PRO,
            FLUX_DEV_TEXT_TO_IMAGE,
            FLUX_DEV_IMAGE_TO_IMAGE,
            FLUX_FILL_DEV,
            FLUX_2_KLEIN,
            FLUX_2_DEV,
            FLUX_1_SCHNELL,
            FLUX_1_SCHNELL_BATCH,
            AURA_FLOW,
        )
    }
)
"""Every model by the sandbox's own name for it, which, unlike `model_id`, is unique."""
