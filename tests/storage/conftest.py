"""The homes for bytes that every test of them runs on: a folder, and a bucket over HTTP."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from server.settings import Settings
from server.storage import open_blobs
from tests.bucket import make_bucket, s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from server.storage import Blobs


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 in a process of its own."""
    with s3_server(tmp_path_factory.mktemp("s3")) as address:
        yield address


@pytest.fixture
def bucket(s3: str, tmp_path: Path) -> str:
    """The address of a new, empty bucket."""
    return make_bucket(f"{s3}/assets-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}")


def of_bucket(bucket: str, data_dir: Path, **changes: str) -> Settings:
    """Return the settings of a node that keeps its assets in a bucket."""
    endpoint, _, name = bucket.rpartition("/")
    environment = {
        "ASSETWRIGHT_DATA_DIR": str(data_dir),
        "ASSETWRIGHT_ASSETS": f"s3://{name}/of/all",
        "AWS_ACCESS_KEY_ID": "id-of-the-key",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-bucket",
        "AWS_ENDPOINT": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "1",
        **changes,
    }
    return Settings.from_environment(environment)


def of_share(share: Path, data_dir: Path) -> Settings:
    """Return the settings of a node that keeps its assets in a shared folder."""
    return Settings(data_dir=data_dir, assets=share)


@pytest.fixture(params=["own folder", "shared folder", "bucket"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of each kind of home."""
    if request.param == "bucket":
        return of_bucket(request.getfixturevalue("bucket"), tmp_path / "a")
    if request.param == "shared folder":
        return of_share(tmp_path / "share", tmp_path / "a")
    return Settings(data_dir=tmp_path / "a")


@pytest_asyncio.fixture
async def blobs(home: Settings) -> Blobs:
    return await open_blobs(home)
