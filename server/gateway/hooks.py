"""Where gateways call back: an unguessable path for each job, on the HTTP port.

A callback is unsigned, may come twice, and may be forged. It is a hint: it makes a job ask the
status endpoint at once, and nothing that it says is believed. The request id that it names is of
use where the paid request's own answer was lost, and then too the status endpoint is asked first.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from server.gateway.protocol import Webhook, read_id

__all__ = ["HookLinks", "named_request"]


def named_request(body: bytes) -> str | None:
    """Return the request id that a callback's body names, if it names one.

    The universal payload says `request_id`, the batch models' `requestId`.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    return read_id(said, "request_id") or read_id(said, "requestId")


class HookLinks:
    """Makes and checks the addresses for callbacks."""

    def __init__(self, *, secret: bytes, base_url: str | None) -> None:
        """Use `base_url`, the HTTP port's public address; without one there are no callbacks."""
        self._secret = secret
        self._base_url = base_url

    @property
    def available(self) -> bool:
        """Whether gateways can call back at all."""
        return self._base_url is not None

    def webhook(self, job_id: str) -> Webhook | None:
        """Return where to call back for a job."""
        if self._base_url is None:
            return None
        return Webhook(url=f"{self._base_url}/hooks/{job_id}/{self._signature(job_id)}")

    def allows(self, job_id: str, signature: str) -> bool:
        """Tell whether these parts of a path are an address of ours."""
        return signature.isascii() and hmac.compare_digest(signature, self._signature(job_id))

    def _signature(self, job_id: str) -> str:
        return hmac.new(self._secret, b"hook/" + job_id.encode(), hashlib.sha256).hexdigest()
