"""Turn a prompt or a picture into a game-ready asset: the client.

`Client` is asynchronous, `SyncClient` the same, blocking. `assetwright.events` has what they yield,
`assetwright.errors` what they raise, `assetwright.v1` the generated contract. Nothing is imported
before it is used, so that ``import assetwright`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assetwright.client import Client
    from assetwright.enums import (
        AfterSubmission,
        AlphaAction,
        AssetRole,
        BudgetAction,
        ChargeState,
        CollisionKind,
        CollisionPlacement,
        Decode,
        DecompositionMethod,
        EngineProfile,
        ErrorReason,
        ExportFormat,
        ForwardAxis,
        JobState,
        LodPlacement,
        Pivot,
        SimplifyMethod,
        Stage,
        TexturePacking,
    )
    from assetwright.errors import AssetwrightError
    from assetwright.processing import Box, Collision, Lod, Processing, Textures
    from assetwright.records import Asset, Job, JobError, Model, Money, Quote, Receipt
    from assetwright.retry import Backoff, Interruption, RetryPolicy
    from assetwright.sync import SyncClient

    __version__: str

__all__ = [
    "AfterSubmission",
    "AlphaAction",
    "Asset",
    "AssetRole",
    "AssetwrightError",
    "Backoff",
    "Box",
    "BudgetAction",
    "ChargeState",
    "Client",
    "Collision",
    "CollisionKind",
    "CollisionPlacement",
    "Decode",
    "DecompositionMethod",
    "EngineProfile",
    "ErrorReason",
    "ExportFormat",
    "ForwardAxis",
    "Interruption",
    "Job",
    "JobError",
    "JobState",
    "Lod",
    "LodPlacement",
    "Model",
    "Money",
    "Pivot",
    "Processing",
    "Quote",
    "Receipt",
    "RetryPolicy",
    "SimplifyMethod",
    "Stage",
    "SyncClient",
    "TexturePacking",
    "Textures",
    "__version__",
]

_HOMES = (
    "enums",
    "errors",
    "records",
    "retry",
    "processing",
    "client",
    "sync",
)  # Cheap ones first.


def __getattr__(name: str) -> object:
    """Import what is asked for (PEP 562)."""
    if name == "__version__":
        return version("assetwright")
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"assetwright.{home}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
