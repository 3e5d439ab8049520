"""What the gateway names is fetched from listed hosts at public addresses alone."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

import httpx
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from server.errors import MediaUnavailable
from server.gateway.guard import CheckedResolver, MediaPolicy, is_public

if TYPE_CHECKING:
    from collections.abc import Sequence

POLICY = MediaPolicy(allowed=["*.r2.dev", "cdn.example.com"], trusted=["127.0.0.1"])

_PRIVATE = [
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", _PRIVATE)
def test_an_address_of_no_public_host_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "104.16.0.1", "2606:4700::1111"])
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@given(st.integers(0, 2**32 - 1))
def test_an_address_is_no_better_for_being_written_as_the_newer_kind(number: int) -> None:
    old = ipaddress.IPv4Address(number)
    assert not is_public(f"::ffff:{old}")
    if old.is_private or old.is_multicast or old.is_reserved:
        assert not is_public(str(old))


@pytest.mark.parametrize(
    "url",
    [
        "https://pub-1.r2.dev/a.glb",
        "https://PUB-1.R2.DEV:443/a.glb",
        "https://cdn.example.com/a",
        "http://127.0.0.1:8080/a",
        "https://127.0.0.1/a",
    ],
)
def test_a_listed_host_over_https_is_allowed_and_our_own_gateway_in_any_way(url: str) -> None:
    POLICY.check(httpx.URL(url))


@pytest.mark.parametrize(
    "url",
    [
        "http://pub-1.r2.dev/a",
        "https://pub-1.r2.dev:8443/a",
        "https://user@pub-1.r2.dev/a",
        "https://pub-1.r2.dev@evil.test/a",
        "https://r2.dev/a",
        "https://evilr2.dev/a",
        "https://pub-1.r2.dev.evil.test/a",
        "https://a.cdn.example.com/a",
        "https://127.0.0.2/a",
        "https://[::1]/a",
        "https://localhost/a",
        "ftp://127.0.0.1/a",
        "file:///etc/passwd",
        "data:text/plain,x",
        "/a",
        "",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(MediaUnavailable):
        POLICY.check(httpx.URL(url))


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "127.1", "2130706433", "10.0.0"],
)
def test_listing_a_private_address_does_not_open_it(host: str) -> None:
    """Nor in the forms that are addresses to the system alone, which no resolver would check."""
    listed = MediaPolicy(allowed=[host.strip("[]")], trusted=[])
    with pytest.raises(MediaUnavailable):
        listed.check(httpx.URL(f"https://{host}/a"))


def test_a_host_that_is_not_listed_is_named_with_the_setting() -> None:
    with pytest.raises(MediaUnavailable, match="ASSETWRIGHT_MEDIA_HOSTS") as caught:
        POLICY.check(httpx.URL("https://media.example.net/a"))
    assert caught.value.metadata == {"host": "media.example.net"}


class _Names(AbstractResolver):
    """Knows one answer, as an attacker's name server would give it."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily | int = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=one, port=port, family=int(family), proto=0, flags=0)
            for one in self.addresses
        ]

    async def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["::1"]]
)
async def test_a_name_with_any_private_address_is_not_connected_to(
    addresses: Sequence[str],
) -> None:
    """A mixed answer too: which of them is connected to is not ours to choose."""
    resolver = CheckedResolver(POLICY, _Names(*addresses))
    with pytest.raises(OSError, match="private address"):
        await resolver.resolve("pub-1.r2.dev", 443)


async def test_what_was_checked_is_what_is_connected_to() -> None:
    names = _Names("8.8.8.8", "2606:4700::1111")
    resolver = CheckedResolver(POLICY, names)
    found = await resolver.resolve("pub-1.r2.dev", 443)
    assert [one["host"] for one in found] == ["8.8.8.8", "2606:4700::1111"]
    await resolver.close()
    assert names.closed


async def test_our_own_gateway_may_be_at_home() -> None:
    policy = MediaPolicy(allowed=[], trusted=["gateway.local"])
    found = await CheckedResolver(policy, _Names("10.0.0.1")).resolve("GATEWAY.local", 80)
    assert [one["host"] for one in found] == ["10.0.0.1"]
