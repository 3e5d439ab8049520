"""What is removed, when, and what has to stay."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import msgspec
import pytest

from server.errors import JobNotFound, RequestIdReused
from server.gateway.models import InputRole
from server.jobs.database import Database
from server.jobs.decisions import Decisions
from server.jobs.events import Accepted
from server.jobs.library import AssetLibrary
from server.jobs.model import AssetRole, InputRef, JobState, ProcessSpec
from server.jobs.store import Change, Store
from server.jobs.sweeping import Retention, Sweeper
from server.settings import Settings
from server.storage import open_blobs
from tests.server.test_log_store import a_job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from server.jobs.durable import Runtime
    from server.jobs.model import Asset, Job
    from server.storage import Blobs

DAY_S = 86_400.0
ACCEPTED = Accepted(request_id="r", plan=(), sandbox=False)


class NoEngine:
    """An engine that knows of nothing."""

    async def ended_before(self, moment: str, *, limit: int) -> list[str]:
        del moment, limit
        return []


class Place:
    """Jobs, assets and a sweeper."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self.store = Store(database)
        self.blobs = blobs
        self.decisions = Decisions(database)
        self.library = AssetLibrary(store=self.store, blobs=blobs, now=lambda: datetime.now(UTC))
        self.sweeper = Sweeper(
            store=self.store,
            runtime=cast("Runtime", NoEngine()),
            blobs=blobs,
            retention=Retention(jobs=90, request_ids=365),
        )

    async def ended(self, name: str, data: bytes) -> Asset:
        """Make a job that has ended with an asset."""
        await self.store.add(a_job(name, name), fingerprint=name, accepted=ACCEPTED)
        asset = await self.library.describe(
            await self.blobs.put(data),
            role=AssetRole.MODEL,
            name="asset.glb",
            job_id=name,
            sandbox=False,
        )
        await self.store.apply(name, Change(assets=(asset,), state=JobState.CANCELLED))
        return asset


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    database = Database(tmp_path / "jobs.sqlite3")
    yield Place(database, await open_blobs(Settings(data_dir=tmp_path)))
    database.close()


def process_job(name: str, asset_id: str) -> Job:
    return msgspec.structs.replace(a_job(name, name), spec=ProcessSpec(asset_id=asset_id))


async def test_ended_jobs_go_after_their_time_and_their_bytes_with_them(place: Place) -> None:
    old = await place.ended("old", b"old bytes")
    await place.store.add(a_job("running", "running"), fingerprint="f", accepted=ACCEPTED)
    early = await place.sweeper.sweep(now=time.time() + 89 * DAY_S)
    assert early is not None
    assert (early.jobs, early.blobs) == (0, 0)
    late = await place.sweeper.sweep(now=time.time() + 91 * DAY_S)
    assert late is not None
    assert (late.jobs, late.blobs) == (1, 1)
    assert not await place.blobs.exists(old.sha256)
    with pytest.raises(JobNotFound):
        await place.store.job("old")
    assert (await place.store.job("running")).state is JobState.QUEUED


async def test_a_request_id_is_remembered_longer_than_its_job(place: Place) -> None:
    await place.ended("old", b"bytes")
    await place.decisions.delete("old")
    await place.sweeper.sweep(now=time.time() + 364 * DAY_S)
    with pytest.raises(RequestIdReused, match="deleted"):
        await place.store.by_request_id("old")
    swept = await place.sweeper.sweep(now=time.time() + 366 * DAY_S)
    assert swept is not None
    assert swept.request_ids == 1
    assert await place.store.by_request_id("old") is None


async def test_what_another_job_works_with_stays(place: Place) -> None:
    """Its asset as well as an upload, however old; an upload that nobody uses goes."""
    asset = await place.ended("old", b"result")
    used = await place.library.add_upload(await place.blobs.put(b"used"), name="used.png")
    unused = await place.library.add_upload(await place.blobs.put(b"unused"), name="unused.png")
    await place.store.add(process_job("user", asset.id), fingerprint="f", accepted=ACCEPTED)
    picture = msgspec.structs.replace(
        a_job("painter", "painter"),
        spec=msgspec.structs.replace(
            a_job().spec, inputs=(InputRef(role=InputRole.SOURCE, asset_id=used.id),)
        ),
    )
    await place.store.add(picture, fingerprint="f", accepted=ACCEPTED)
    swept = await place.sweeper.sweep(now=time.time() + 91 * DAY_S)
    assert swept is not None
    assert (swept.jobs, swept.uploads, swept.blobs) == (1, 1, 1)
    assert (await place.store.asset(asset.id)).job_id is None
    assert await place.blobs.exists(asset.sha256)
    assert await place.blobs.exists(used.sha256)
    assert not await place.blobs.exists(unused.sha256)


async def test_bytes_that_have_just_come_are_not_swept(place: Place) -> None:
    """They are stored before a row names them."""
    blob = await place.blobs.put(b"just now")
    swept = await place.sweeper.sweep()
    assert swept is not None
    assert swept.blobs == 0
    assert await place.blobs.exists(blob.sha256)
