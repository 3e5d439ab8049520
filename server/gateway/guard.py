"""Which addresses the server fetches from when a gateway tells it to.

An address in a gateway's reply is somebody else's wish. It is followed only to hosts that are
listed, over HTTPS, and only to public network addresses; the address that was checked is the one
connected to, since the check is the connection's own resolver. The host of a configured gateway
base is exempt, so that a gateway on loopback works.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from server.errors import MediaUnavailable

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    import httpx

__all__ = ["CheckedResolver", "MediaPolicy", "is_public"]

# Python 3.11 calls some of these global (measured); none of them is a media host.
_DENIED_V4 = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
    224.0.0.0/4 240.0.0.0/4
"""
_DENIED_V6 = """
    ::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16
    fc00::/7 fe80::/10 fec0::/10 ff00::/8
"""
_DENIED = tuple(ipaddress.ip_network(one) for one in (_DENIED_V4 + _DENIED_V6).split())


def is_public(address: str) -> bool:
    """Tell whether a literal IP address is one of the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return ip.is_global and not any(ip in network for network in _DENIED)


class MediaPolicy:
    """Hosts to fetch from: patterns such as `*.r2.dev`, and trusted hosts by name."""

    def __init__(self, *, allowed: Iterable[str], trusted: Iterable[str]) -> None:
        self._allowed = tuple(pattern.lower() for pattern in allowed)
        self._trusted = frozenset(host.lower() for host in trusted)

    def trusts(self, host: str) -> bool:
        """Tell whether `host` is a configured gateway's own."""
        return host.lower() in self._trusted

    def check(self, url: httpx.URL) -> None:
        """Refuse an address that must not be fetched.

        Raises:
            MediaUnavailable: The scheme or the host is not allowed. The message names the setting.
        """
        if self.trusts(url.host) and url.scheme in ("http", "https"):
            return
        if url.scheme != "https" or url.userinfo or url.port not in (None, 443):
            raise MediaUnavailable("The gateway's link is not a plain https address.")
        if not any(_matches(url.host.lower(), pattern) for pattern in self._allowed):
            raise MediaUnavailable(
                f"The gateway's link leads to {url.host}, which ASSETWRIGHT_MEDIA_HOSTS does not "
                "list.",
                host=url.host,
            )
        if _is_numeric(url.host) and not (_is_address(url.host) and is_public(url.host)):
            raise MediaUnavailable("The gateway's link leads to a private address.", host=url.host)


class CheckedResolver(AbstractResolver):
    """Resolves names, and refuses those with any private address."""

    def __init__(self, policy: MediaPolicy, resolver: AbstractResolver | None = None) -> None:
        self._policy = policy
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily | int = 0
    ) -> list[ResolveResult]:
        """Return the addresses of `host`.

        Raises:
            OSError: One of them is private and the host is not trusted.
        """
        found = await self._resolver.resolve(host, port, family)  # type: ignore[arg-type]  # aiohttp passes it on.
        if not self._policy.trusts(host) and not all(is_public(one["host"]) for one in found):
            raise OSError(f"{host} has a private address")
        return found

    async def close(self) -> None:
        """Release what the resolver holds."""
        await self._resolver.close()


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def _is_numeric(host: str) -> bool:
    """Tell whether the network may take `host` as an address: then no resolver checks it.

    Forms such as 127.1 and 2130706433 are addresses to the system and to nobody else.
    """
    return ":" in host or host.rpartition(".")[2].isdigit() or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
