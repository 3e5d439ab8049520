"""Opening a place of the S3 kind, the one way for all who use one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self, cast

from obstore.exceptions import BaseError
from obstore.store import S3Store

from server.settings import SettingsError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

    from server.settings import Settings

__all__ = ["STORE_FAILURES", "BucketAccess", "open_bucket"]

STORE_FAILURES = (BaseError, OSError, ValueError)
"""What obstore raises; TimeoutError is an OSError."""

# A slow line uploads all parts at once, so time for each: with four of 5 MiB, 70 kB/s suffice.
_REQUEST_TIMEOUT = "300s"
_MAX_RETRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketAccess:
    """How a bucket is reached. What is None obstore looks for where AWS's own tools do."""

    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    region: str | None = None
    allow_http: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what the settings say.

        Raises:
            SettingsError: The endpoint is not safe.
        """
        schemes = ("https://", "http://") if settings.aws_allow_http else ("https://",)
        endpoint = settings.aws_endpoint
        if endpoint is not None and not endpoint.startswith(schemes):
            raise SettingsError(
                "AWS_ENDPOINT must be an https address, or http with AWS_ALLOW_HTTP=1."
            )
        return cls(
            access_key_id=settings.aws_access_key_id,
            secret_access_key=settings.aws_secret_access_key,
            session_token=settings.aws_session_token,
            endpoint=endpoint,
            region=settings.aws_region,
            allow_http=settings.aws_allow_http,
        )


def open_bucket(url: str, access: BucketAccess, *, patience_s: float) -> S3Store:
    """Open `s3://bucket/prefix`; what fails for a moment is tried again for `patience_s` seconds.

    Nothing is sent yet.

    Raises:
        ValueError: URL and access name no place together.
    """
    config = {
        "access_key_id": access.access_key_id,
        "secret_access_key": access.secret_access_key,
        "session_token": access.session_token,
        "endpoint": access.endpoint,
        "region": access.region,
    }
    given = cast("S3Config", {k: v for k, v in config.items() if v is not None})
    client: ClientConfig = {"allow_http": access.allow_http, "timeout": _REQUEST_TIMEOUT}
    retry: RetryConfig = {
        "max_retries": _MAX_RETRIES,
        "retry_timeout": timedelta(seconds=patience_s),
    }
    try:
        return S3Store.from_url(url, config=given, client_options=client, retry_config=retry)
    except BaseError:
        raise ValueError("they do not name a place together") from None
