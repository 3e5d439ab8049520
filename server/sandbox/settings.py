"""What whoever starts a sandbox may choose."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SandboxSettings"]

_DAY_S = 24 * 3600.0
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """How a sandbox behaves. The defaults suit a person who tries it.

    Attributes:
        queue_s: Seconds a request stays QUEUED.
        min_work_s: Seconds it is PROCESSING at least; making the mesh may take longer.
        wallet_usd: What the wallet holds at the start. `None` never runs empty.
        credits: What the account for models that are paid in credits holds at the start.
        accepted_keys: The keys that are let in. Empty lets any non-empty key in.
        media_ttl_s: Seconds a result can be downloaded after completion.
        data_dir: Where requests and results are kept, so that a restart resumes them; one sandbox
            at a time. `None` makes a temporary folder and removes it.
        max_body_bytes: Largest request body; trainers take pictures inside it.
        max_picture_bytes: Largest input picture as downloaded.
        max_picture_pixels: Largest input picture once decoded, width times height.
        max_dataset_bytes: Largest training archive as downloaded.
        fetch_timeout_s: Seconds that fetching one input may take.
        work_timeout_s: Seconds that making one result may take; then the request ends with ERROR.
        hold_s: Seconds that a batch request without a webhook is held.
        sync_webhook_s: Seconds between two callbacks of a webhook in `sync` mode.
        max_open_requests: Unfinished requests held at once; one more is answered with 429.
        max_kept_requests: Requests remembered; the oldest finished ones are forgotten.
    """

    queue_s: float = 1.0
    min_work_s: float = 1.0
    wallet_usd: Decimal | None = None
    credits: Decimal = Decimal(1_000_000)
    accepted_keys: frozenset[str] = field(default=frozenset(), repr=False)
    media_ttl_s: float = _DAY_S
    data_dir: Path | None = None
    max_body_bytes: int = 16 * _MIB
    max_picture_bytes: int = 32 * _MIB
    max_picture_pixels: int = 40_000_000
    max_dataset_bytes: int = 256 * _MIB
    fetch_timeout_s: float = 30.0
    work_timeout_s: float = 180.0
    hold_s: float = 60.0
    sync_webhook_s: float = 15.0
    max_open_requests: int = 64
    max_kept_requests: int = 1000
