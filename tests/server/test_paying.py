"""Callbacks, the day's budget, and models of one's own. Each test starts its own server."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from assetwright.v1 import generation_service_pb2 as pb
from assetwright.v1 import job_pb2
from server.gateway import models
from server.gateway.models import Catalog
from server.sandbox import Fault, FaultKind, Place
from tests.gateway.examples import EXAMPLES
from tests.server.house import end_of, kinds, reason, start_house
from tests.server.test_bad_requests import refused
from tests.server.test_live import KEY, live
from tests.server.test_models import request

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.settings import Settings
    from tests.server.house import House

    Make = Callable[..., pb.GenerateRequest]

CATALOG_FOLDER = Path(models.__file__).parent / "catalog"


async def test_a_callback_ends_the_wait_at_once(settings: Settings, request_for: Make) -> None:
    """Polling every ten minutes, a job ends in seconds; the callback may come twice."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    changed = {
        "http": f"127.0.0.1:{port}",
        "public_url": f"http://127.0.0.1:{port}",
        "poll_min_s": 600.0,
        "poll_max_s": 600.0,
    }
    async with live(settings, **changed) as (house, gateway):
        gateway.faults.add(Fault(kind=FaultKind.DUPLICATE_WEBHOOK, place=Place.RESULT))
        began = time.monotonic()
        events = await house.generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
        assert kinds(events)[-1] == "completed"
        assert time.monotonic() - began < 60
        (submission,) = gateway.submissions()
        sent = {name.lower(): value for name, value in submission.headers.items()}
        assert sent["x-webhook-mode"] == "terminal"
        hook = sent["x-webhook-url"]
        assert hook.startswith(f"http://127.0.0.1:{port}/hooks/job_")
        await _flood(hook)
        assert (await _state(house, events[0].job_id)) == "JOB_STATE_COMPLETED"


async def test_the_batch_protocols_callback_is_taken_too(
    settings: Settings, picture: bytes
) -> None:
    """Its address stands in the body and its payload has a form of its own: neither matters."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    changed = {
        "http": f"127.0.0.1:{port}",
        "public_url": f"http://127.0.0.1:{port}",
        "pixazo_secret_key": KEY,
        "poll_min_s": 600.0,
        "poll_max_s": 600.0,
    }
    example = next(one for one in EXAMPLES if one.model == "flux-1-schnell-batch")
    async with live(settings, **changed) as (house, gateway):
        events = await house.generate(request(example, picture))
        (submission,) = gateway.submissions()
    assert kinds(events)[-1] == "completed"
    assert str(submission.generation.body["webhook_url"]).startswith(changed["public_url"])


async def test_a_forged_callback_is_nobodys(settings: Settings, request_for: Make) -> None:
    """Without the signature there is nothing; with it, only the status endpoint is asked."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    changed = {"http": f"127.0.0.1:{port}", "public_url": f"http://127.0.0.1:{port}"}
    async with live(settings, **changed) as (house, gateway):
        gateway.faults.add(Fault(kind=FaultKind.FAIL, place=Place.RESULT))
        call = house.generation.Generate(request_for())
        job_id = (await call.read()).event.job_id
        async with httpx.AsyncClient() as http:
            base = f"http://127.0.0.1:{port}/hooks/{job_id}"
            forged = {"status": "COMPLETED", "output": {"media_url": ["http://127.0.0.1:9/x"]}}
            for path in (f"{base}/{'0' * 64}", f"{base}/%C3%A9", f"{base}/"):
                assert (await http.post(path, json=forged)).status_code == 404
        events = [
            reply.event
            async for reply in house.generation.WatchJob(pb.WatchJobRequest(job_id=job_id))
        ]
    assert reason(end_of(events)) == "GENERATION_FAILED"


async def test_the_days_budget_is_kept_by_jobs_together(
    settings: Settings, request_for: Make
) -> None:
    """Ended jobs count what they cost, deleted ones too, others their highest price."""
    async with live(settings, daily_budget_usd=0.65) as (house, gateway):
        paid = await house.generate(request_for())
        await house.generation.DeleteJob(pb.DeleteJobRequest(job_id=paid[0].job_id))
        gateway.faults.add(Fault(kind=FaultKind.ERROR, place=Place.RESULT))
        not_charged = await house.generate(request_for(request_id="second"))
        assert reason(end_of(not_charged)) == "GENERATION_FAILED"
        await house.generate(request_for(request_id="third"))
        refusal = await refused(house.generate(request_for(request_id="fourth")))
        assert refusal.info.reason == "BUDGET_EXCEEDED"
        assert refusal.info.metadata["bound_micros"] == "600000"
        assert len(gateway.submissions()) == 3


async def test_a_model_of_ones_own_is_one_file(
    settings: Settings, request_for: Make, tmp_path: Path
) -> None:
    """A new model on a known protocol needs no code: here another name for the same path."""
    folder = tmp_path / "models"
    folder.mkdir()
    text = (CATALOG_FOLDER / "pixal3d.toml").read_text()
    (folder / "my-model.toml").write_text(text.replace('id = "pixal3d"', 'id = "my-model"'))
    async with start_house(replace(settings, catalog_dirs=(folder,))) as house:
        asked = request_for(delivery=pb.DELIVERY_ANNOUNCE)
        asked.model = "my-model"
        assert kinds(await house.generate(asked))[-1] == "completed"
    assert Catalog.load(folder).get("my-model") is not None


async def _flood(hook: str) -> None:
    async with httpx.AsyncClient() as http:
        for _ in range(50):
            assert (await http.post(hook, content=b"x" * 10_000)).status_code == 200


async def _state(house: House, job_id: str) -> str:
    job = (await house.generation.GetJob(pb.GetJobRequest(job_id=job_id))).job
    return job_pb2.JobState.Name(job.state)
