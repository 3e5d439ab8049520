"""The tokens that callers may use, compared in one place for both ports."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Tokens"]


class Tokens:
    """Tells whether a caller may come in."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = [token.encode() for token in tokens]

    @property
    def asked_for(self) -> bool:
        """Whether there are any; without one everybody may come in."""
        return bool(self._tokens)

    def allow(self, authorization: str | bytes) -> bool:
        """Tell whether this value of `authorization` is `Bearer` and a known token."""
        if not self._tokens:
            return True
        sent = authorization
        text = sent.decode("latin-1") if isinstance(sent, bytes) else sent
        scheme, _, token = text.partition(" ")
        given = token.strip().encode()
        # All are compared, in constant time, so that the time tells nothing.
        matches = [hmac.compare_digest(given, known) for known in self._tokens]
        return scheme.lower() == "bearer" and any(matches)
