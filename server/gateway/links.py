"""Public addresses for inputs: unguessable, expiring, and only for what a job sends.

A link carries everything that is needed to check it, signed with the database's secret, so it
outlives a restart and any node that knows the secret can serve it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["InputLinks"]

_EXPIRES = re.compile(r"[0-9]{1,12}")  # What int() reads of a stranger's text without surprise.
_LIFE_S = 24 * 3600  # Longer than any queue; the link names one picture and nothing else.


class InputLinks:
    """Makes and checks links to stored inputs."""

    def __init__(self, *, secret: bytes, base_url: str | None, now: Callable[[], float]) -> None:
        self._secret = secret
        self._base_url = base_url
        self._now = now

    @property
    def available(self) -> bool:
        """Whether the gateway can reach this server at all."""
        return self._base_url is not None

    def link(self, sha256: str) -> str:
        """Return an address for a stored input. Needs `available`."""
        expires = int(self._now()) + _LIFE_S
        return f"{self._base_url}/inputs/{sha256}/{expires}/{self._signature(sha256, expires)}"

    def allows(self, sha256: str, expires: str, signature: str) -> bool:
        """Tell whether these parts of a path are a link of ours that has not expired."""
        if not _EXPIRES.fullmatch(expires) or not signature.isascii():
            return False
        if int(expires) < self._now():
            return False
        return hmac.compare_digest(signature, self._signature(sha256, int(expires)))

    def _signature(self, sha256: str, expires: int) -> str:
        text = f"{sha256}/{expires}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()
