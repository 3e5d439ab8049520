"""Reading what a refusal says, whatever it says."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.errors import AssetwrightError, GatewayUnavailable
from server.gateway.refusals import (
    PIXAZO,
    SEGMIND,
    error_text,
    is_about_content,
    poll_refusal,
    submit_refusal,
)
from tests.gateway.wire import NOW

_QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_QUIET
@given(
    code=st.integers(300, 599),
    body=st.dictionaries(
        st.sampled_from(["error", "message"]), st.none() | st.integers() | st.text()
    ),
    retry_after=st.text(st.characters(max_codepoint=255)),
)
def test_every_refusal_becomes_an_error_with_its_code(
    code: int, body: dict[str, object], retry_after: str
) -> None:
    """Whatever stands in its body and in its headers."""
    headers = [(b"retry-after", retry_after.encode("latin-1"))]
    reply = httpx.Response(code, headers=headers)
    for refusal in (submit_refusal, poll_refusal):
        for dialect in (PIXAZO, SEGMIND):
            error = refusal(reply, body, dialect=dialect, now=NOW)
            assert isinstance(error, AssetwrightError)
            assert error.metadata["status_code"] == str(code)
            assert error.retry_after_s is None or 0 <= error.retry_after_s <= 3600


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": "short", "message": "long"}, "long"),
        ({"error": "alone"}, "alone"),
        ({"message": "", "error": "second"}, "second"),
        ({"message": " ", "error": 5}, None),
        ({}, None),
        ({"error": "x" * 1000}, "x" * 500),
    ],
)
def test_the_longer_text_is_preferred_and_cut(body: dict[str, object], text: str | None) -> None:
    assert error_text(body) == text


@pytest.mark.parametrize(
    ("text", "about_content"),
    [
        ("Rejected by content moderation", True),
        ("NSFW image", True),
        ("the safety-checker found a problem", True),
        ("This is inappropriate content.", True),
        ("disable_safety_checker must be a boolean", False),
        ("safety_tolerance must be one of 1, 2, 3", False),
        ("content-type must be JSON", False),
        ("input_image must be a valid URL", False),
    ],
)
def test_only_words_about_content_are_about_content(text: str, *, about_content: bool) -> None:
    assert is_about_content(text) is about_content


def test_a_question_that_a_proxy_gave_up_on_can_be_asked_again() -> None:
    """What makes a POST unknown costs nothing here."""
    error = poll_refusal(httpx.Response(504), {}, dialect=PIXAZO, now=NOW)
    assert type(error) is GatewayUnavailable
    assert error.retryable
