"""Links to inputs: nobody can make one, and none lasts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.gateway.links import InputLinks

SHA = "a" * 64
DAY_S = 24 * 3600


class _Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def _links(clock: _Clock, secret: bytes = b"s" * 32) -> InputLinks:
    return InputLinks(secret=secret, base_url="https://we.test", now=clock)


def _parts(link: str) -> tuple[str, str, str]:
    _, _, path = link.partition("https://we.test/inputs/")
    sha256, expires, signature = path.split("/")
    return sha256, expires, signature


def test_a_link_allows_its_input_for_a_day() -> None:
    clock = _Clock()
    links = _links(clock)
    parts = _parts(links.link(SHA))
    assert parts[0] == SHA
    assert links.allows(*parts)
    clock.now += DAY_S
    assert links.allows(*parts)
    clock.now += 1
    assert not links.allows(*parts)


def test_a_link_is_for_one_input_one_time_and_one_secret() -> None:
    clock = _Clock()
    links = _links(clock)
    sha256, expires, signature = _parts(links.link(SHA))
    assert not links.allows("b" * 64, expires, signature)
    assert not links.allows(sha256, str(int(expires) + 1), signature)
    assert not links.allows(sha256, f"0{expires}", signature[:-1])
    assert not _links(clock, b"t" * 32).allows(sha256, expires, signature)


@pytest.mark.parametrize("expires", ["\u00b2", "9" * 5000, "", "-1", "1e9", " 1", "\u0661" * 10])
def test_a_strange_time_is_refused_and_raises_nothing(expires: str) -> None:
    """str.isdigit() is true of characters that int() refuses."""
    assert not _links(_Clock()).allows(SHA, expires, "0" * 64)


@given(st.text(), st.text(), st.text())
def test_a_strangers_path_is_refused(sha256: str, expires: str, signature: str) -> None:
    assert not _links(_Clock()).allows(sha256, expires, signature)


def test_without_an_address_there_are_no_links() -> None:
    assert not InputLinks(secret=b"", base_url=None, now=_Clock()).available
    assert _links(_Clock()).available
