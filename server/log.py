"""Logging: events, not sentences; one line for each change of state.

Never logged, at any level: prompts, keys, tokens, addresses of media or inputs, bytes.
"""

from __future__ import annotations

import logging
import sys
from enum import Enum

import structlog

__all__ = ["LogFormat", "configure_logging"]

# They log whole URLs, signatures included, at INFO or DEBUG; grpc's core logs each broken stream.
_TALKATIVE = ("aiohttp", "asyncio", "httpcore", "httpx", "grpc", "PIL", "trimesh", "uvicorn")


class LogFormat(Enum):
    """How a line looks."""

    TEXT = "text"
    JSON = "json"


def configure_logging(*, level: str, form: LogFormat) -> None:
    """Send log lines to standard error; standard output stays free for the ready line."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s %(message)s")
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A download that the client breaks off is logged there with a traceback; it is no error.
    logging.getLogger("grpc._cython.cygrpc").setLevel(logging.CRITICAL)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
