"""Where gateways call back: an unguessable path for each job, on the HTTP port.

A callback is unsigned, may come twice, and may be forged. It is a hint: it makes a job ask the
status endpoint at once, and nothing that it says is believed.
"""

from __future__ import annotations

import hashlib
import hmac

from server.gateway.protocol import Webhook

__all__ = ["HookLinks"]


class HookLinks:
    """Makes and checks the addresses for callbacks."""

    def __init__(self, *, secret: bytes, base_url: str | None) -> None:
        """Use `base_url`, the HTTP port's public address; without one there are no callbacks."""
        self._secret = secret
        self._base_url = base_url

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
