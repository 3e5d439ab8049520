"""An S3 of our own, over HTTP: moto's server in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START_S = 30


@contextlib.contextmanager
def s3_server(folder: Path, *, port: int = 0) -> Iterator[str]:
    """Run it; yields its address. Port 0 picks one."""
    log = folder / "s3.log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as file:
        child = subprocess.Popen(command, stdout=file, stderr=file)  # noqa: S603 - ours
    try:
        deadline = time.monotonic() + _START_S
        while "Running on " not in (text := log.read_text()):
            assert child.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.05)
        yield text.partition("Running on ")[2].split()[0]
    finally:
        child.terminate()
        child.wait()


def make_bucket(address: str) -> str:
    """Make an empty bucket; return its address."""
    httpx.put(address).raise_for_status()
    return address


@contextlib.contextmanager
def checking_keys(s3: str) -> Iterator[None]:
    """Let an S3 refuse the keys that it does not know, which are all."""
    httpx.post(f"{s3}/moto-api/reset-auth", content=b"0")
    try:
        yield
    finally:
        httpx.post(f"{s3}/moto-api/reset-auth", content=b"inf")
