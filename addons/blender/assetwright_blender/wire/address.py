"""Where a server is, as a person writes it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["DEFAULT", "Address", "AddressError", "parse"]

DEFAULT = "http://127.0.0.1:50052"


class AddressError(ValueError):
    """The text is no address. The message says what one looks like."""


@dataclass(frozen=True)
class Address:
    """A server's HTTP port.

    Attributes:
        host: Its name or IP address, without brackets.
        port: From 1 to 65535.
        secure: Speak TLS.
    """

    host: str
    port: int
    secure: bool

    @property
    def is_loopback(self) -> bool:
        """Whether it is this computer."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"


def parse(text: str) -> Address:
    """Read ``HOST:PORT``, ``http://HOST:PORT`` or ``https://HOST``.

    Raises:
        AddressError: It is none of these.
    """
    text = text.strip()
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        port = parts.port
    except ValueError:
        port = 0
    rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in ("http", "https") or not parts.hostname or rest or port == 0:
        raise AddressError(f"{text!r} is no server address; it looks like {DEFAULT}.")
    secure = parts.scheme == "https"
    return Address(parts.hostname, port or (443 if secure else 50052), secure)
