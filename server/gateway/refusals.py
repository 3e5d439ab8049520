"""What a refusal means: from a status code and a body to an error, with each provider's dialect.

Sources: the tables of status codes on the providers' pages. 402 bodies carry `error` and `message`,
validation errors `error` alone. No page gives a code for refused content, so that is read from the
text, by the words that the pages use when they speak of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from server.errors import (
    AssetwrightError,
    ContentRejected,
    GatewayBalance,
    GatewayRateLimited,
    GatewayRefusedUs,
    GatewayRejectedRequest,
    GatewayReplyUnknown,
    GatewayUnavailable,
    SubmissionUnknown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from server.gateway.http import JsonObject

__all__ = [
    "PIXAZO",
    "SEGMIND",
    "Dialect",
    "error_text",
    "is_about_content",
    "poll_refusal",
    "submit_refusal",
]

_MAX_TEXT = 500  # Of a gateway's error text that is passed on.
_MAX_RETRY_AFTER_S = 3600.0

# Spaces and hyphens alone: `safety_checker must be a boolean` is about a parameter's form.
_CONTENT = re.compile(
    r"content[ -](?:moderation|policy|safety)|nsfw|not safe for work|inappropriate content"
    r"|safety[ -](?:filter|checker|system)|flagged by moderation",
    re.IGNORECASE,
)

Refusal = type[AssetwrightError]

_COMMON: Mapping[int, Refusal] = {
    400: GatewayRejectedRequest,
    401: GatewayRefusedUs,
    402: GatewayBalance,
    403: GatewayRefusedUs,
    404: GatewayRejectedRequest,
    405: GatewayRejectedRequest,
    413: GatewayRejectedRequest,
    415: GatewayRejectedRequest,
    422: GatewayRejectedRequest,
    429: GatewayRateLimited,
}
# Answers of something between here and the gateway's work. 52x are Cloudflare's.
_GAVE_UP = frozenset({408, 502, 504, 520, 522, 524})

_SAYING: Mapping[Refusal, str] = {
    GatewayRejectedRequest: "The gateway rejects the request.",
    ContentRejected: "The provider refuses the content.",
    GatewayRefusedUs: "The gateway does not accept this server's key.",
    GatewayBalance: "This server's balance at the gateway is too low.",
    GatewayRateLimited: "The gateway asks us to slow down.",
    GatewayUnavailable: "The gateway has a fault of its own.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one provider's refusals differ from the usual."""

    codes: Mapping[int, Refusal] = field(default_factory=dict)

    def meaning(self, code: int) -> Refusal:
        """Return the error that a status code stands for."""
        known = self.codes.get(code) or _COMMON.get(code)
        if known is not None:
            return known
        fault = code >= httpx.codes.INTERNAL_SERVER_ERROR
        return GatewayUnavailable if fault else GatewayReplyUnknown


PIXAZO = Dialect()
SEGMIND = Dialect(codes={406: GatewayBalance})


def submit_refusal(
    reply: httpx.Response, body: JsonObject, *, dialect: Dialect, now: datetime
) -> AssetwrightError:
    """Return what it means that a paid POST was answered like this."""
    if reply.status_code in _GAVE_UP:
        return SubmissionUnknown(
            "Something between here and the gateway gave up; the request may have arrived.",
            status_code=str(reply.status_code),
        )
    kind = dialect.meaning(reply.status_code)
    text = error_text(body) or ""
    if kind is GatewayRejectedRequest and is_about_content(text):
        kind = ContentRejected
    return _refusal(kind, reply, text, now)


def poll_refusal(
    reply: httpx.Response, body: JsonObject, *, dialect: Dialect, now: datetime
) -> AssetwrightError:
    """Return what it means that a question about a request was answered like this."""
    kind = dialect.meaning(reply.status_code)
    if reply.status_code in _GAVE_UP:
        kind = GatewayUnavailable
    elif kind is GatewayRejectedRequest:
        kind = GatewayReplyUnknown  # The request was accepted before; it cannot be wrong now.
    return _refusal(kind, reply, error_text(body) or "", now)


def error_text(body: JsonObject) -> str | None:
    """Return what a body says about an error."""
    for name in ("message", "error"):
        value = body.get(name)
        if isinstance(value, str) and value.strip():
            return value[:_MAX_TEXT]
    return None


def is_about_content(text: str) -> bool:
    """Tell whether an error's text speaks of refused content."""
    return _CONTENT.search(text) is not None


def _refusal(kind: Refusal, reply: httpx.Response, text: str, now: datetime) -> AssetwrightError:
    code = str(reply.status_code)
    metadata = {"status_code": code, **({"gateway_message": text} if text else {})}
    delay = _retry_after_s(reply.headers, now)
    if kind.retryable and delay is not None:
        metadata["retry_after_s"] = f"{delay:g}"
    what = _SAYING.get(kind, f"The gateway answered {code}, which its page does not describe.")
    return kind(f"{what} It says: {text}" if text else what, **metadata)


def _retry_after_s(headers: httpx.Headers, now: datetime) -> float | None:
    """Read Retry-After in either of its forms (RFC 9110, section 10.2.3), up to an hour."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _MAX_RETRY_AFTER_S)
    try:
        delay = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(delay, 0.0), _MAX_RETRY_AFTER_S)
