"""Where an input comes from."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from server.sandbox.errors import InvalidRequest

__all__ = ["Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An input: an address, or the bytes themselves where the page allows them."""

    url: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, value: str) -> Source:
        """Read an address, a data URI, or plain base64.

        Raises:
            InvalidRequest: It is none of these.
        """
        if value.startswith(("http://", "https://")):
            return cls(url=value)
        head, comma, rest = value.partition(",")
        encoded = rest if comma and head.startswith("data:") and head.endswith(";base64") else value
        try:
            return cls(data=base64.b64decode(encoded, validate=True))
        except (binascii.Error, ValueError):
            raise InvalidRequest("The input is neither a URL nor base64") from None
