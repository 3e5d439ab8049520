"""Addresses for callbacks, and the one thing that is read of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.gateway.hooks import HookLinks, named_request


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"request_id": "r-1", "status": "COMPLETED"}', "r-1"),
        (b'{"requestId": "r-2", "status": "COMPLETED"}', "r-2"),
        (b'{"request_id": ""}', None),
        (b'{"request_id": 7}', None),
        (b'{"request_id": "' + b"x" * 257 + b'"}', None),
        (b'["request_id"]', None),
        (b"null", None),
        (b"[" * 60_000, None),
    ],
)
def test_the_request_is_read_in_either_spelling(body: bytes, expected: str | None) -> None:
    assert named_request(body) == expected


@given(st.binary())
def test_a_strangers_body_raises_nothing(body: bytes) -> None:
    named_request(body)


def test_an_address_is_for_one_job_and_one_secret() -> None:
    links = HookLinks(secret=b"s" * 32, base_url="https://here.test")
    webhook = links.webhook("job_1")
    assert webhook is not None
    base, job_id, signature = webhook.url.rsplit("/", 2)
    assert (base, job_id) == ("https://here.test/hooks", "job_1")
    assert links.allows(job_id, signature)
    assert not links.allows("job_2", signature)
    assert not HookLinks(secret=b"t" * 32, base_url=None).allows(job_id, signature)


def test_without_an_address_there_are_no_callbacks() -> None:
    links = HookLinks(secret=b"s" * 32, base_url=None)
    assert not links.available
    assert links.webhook("job_1") is None
