"""Each fault does what its name says, as often as asked, where asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from server.sandbox import Fault, FaultKind, FaultQueue, InvalidFault, Place
from server.sandbox.faults import PLACES

if TYPE_CHECKING:
    from tests.sandbox.conftest import PictureHost, Start


@pytest.mark.parametrize("place", ["submit", "status", "media"])
async def test_error_answers_anywhere(start: Start, host: PictureHost, place: str) -> None:
    client = await start()
    statuses = {
        "rate_limited": 429,
        "server_error": 500,
        "unauthorized": 401,
        "forbidden": 403,
        "bad_request": 400,
    }
    for fault, status in statuses.items():
        reply = await client.fault(fault=fault, on=place, retry_after_s=1.2, message="So it is.")
        assert reply.status_code == 201
        if place == "submit":
            answer = await client.submit(image_url=host.url("disc.png"))
        else:
            path = "/v2/requests/status/pixal3d_1" if place == "status" else "/media/t/output.glb"
            answer = await client.http.get(path)
        assert answer.status_code == status
        assert "So it is." in answer.text
        assert answer.headers["retry-after"] == "2"  # Whole seconds, never too early.
    assert client.sandbox.submissions() == ()


async def test_insufficient_balance_on_request(start: Start, host: PictureHost) -> None:
    client = await start()
    await client.fault(fault="insufficient_balance")
    assert (await client.submit(image_url=host.url("disc.png"))).status_code == 402


async def test_a_count_is_used_up_one_by_one(start: Start, host: PictureHost) -> None:
    client = await start(queue_s=30.0)
    await client.fault(fault="server_error", on="submit", count=2)
    codes = [(await client.submit(image_url=host.url("disc.png"))).status_code for _ in range(3)]
    assert codes == [500, 500, 202]


async def test_drop_before_accept_accepts_nothing(start: Start, host: PictureHost) -> None:
    client = await start()
    await client.fault(fault="drop_before_accept")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await client.submit(image_url=host.url("disc.png"))
    assert client.sandbox.submissions() == ()


async def test_drop_after_accept_accepts_without_an_answer(start: Start, host: PictureHost) -> None:
    """The case for which a paid POST must never be repeated blindly."""
    client = await start()
    await client.fault(fault="drop_after_accept")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await client.submit(image_url=host.url("disc.png"))
    (accepted,) = client.sandbox.submissions()
    assert (await client.end(accepted.id))["status"] == "COMPLETED"


async def test_slow_answers_late_but_has_accepted(start: Start, host: PictureHost) -> None:
    client = await start(queue_s=30.0)
    await client.fault(fault="slow", on="submit", delay_s=0.3)
    started = time.monotonic()
    reply = await client.submit(image_url=host.url("disc.png"))
    assert time.monotonic() - started >= 0.3
    assert reply.status_code == 202


async def test_malformed_json_on_submit_and_status(start: Start, host: PictureHost) -> None:
    client = await start(queue_s=30.0)
    await client.fault(fault="malformed_json", on="submit")
    reply = await client.submit(image_url=host.url("disc.png"))
    assert reply.status_code == 202
    with pytest.raises(ValueError, match="Unterminated"):
        reply.json()
    (accepted,) = client.sandbox.submissions()
    await client.fault(fault="malformed_json", on="status")
    with pytest.raises(ValueError, match="Unterminated"):
        await client.status(accepted.id)
    assert (await client.status(accepted.id))["status"] in {"QUEUED", "PROCESSING"}


async def test_unknown_status_for_one_poll(start: Start, host: PictureHost) -> None:
    client = await start(queue_s=30.0)
    await client.submit(image_url=host.url("disc.png"))
    (accepted,) = client.sandbox.submissions()
    await client.fault(fault="unknown_status", message="PAUSED")
    assert (await client.status(accepted.id))["status"] == "PAUSED"
    assert (await client.status(accepted.id))["status"] in {"QUEUED", "PROCESSING"}


async def test_media_can_be_cut_short_or_expired_and_then_works(
    start: Start, host: PictureHost
) -> None:
    client = await start()
    request_id = (await client.submit(image_url=host.url("disc.png"))).json()["request_id"]
    (url,) = (await client.end(request_id))["output"]["media_url"]
    await client.fault(fault="truncated_media")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await client.http.get(url)
    await client.fault(fault="expired_media")
    assert (await client.http.get(url)).status_code == 404
    assert (await client.http.get(url)).content[:4] == b"glTF"


async def test_cleared_faults_do_not_happen(start: Start) -> None:
    client = await start()
    await client.fault(fault="server_error", on="status")
    listed = (await client.http.get("/sandbox/faults")).json()["faults"]
    assert [(one["fault"], one["on"]) for one in listed] == [("server_error", "status")]
    assert (await client.http.delete("/sandbox/faults")).status_code == 204
    assert (await client.http.get("/v2/requests/status/pixal3d_1")).status_code == 404


async def test_an_unknown_fault_lists_the_known_ones(start: Start) -> None:
    client = await start()
    reply = await client.fault(fault="earthquake")
    assert reply.status_code == 400
    assert all(kind.value in reply.json()["error"] for kind in FaultKind)


@pytest.mark.parametrize(
    "body",
    [
        {"fault": "fail", "on": "submit"},
        {"fault": "slow", "on": "nowhere"},
        {"fault": "slow", "count": 0},
        {"fault": "slow", "count": True},
        {"fault": "slow", "delay_s": -1},
        {"fault": "slow", "retry_after_s": "soon"},
        {"fault": "slow", "message": 5},
        {"fault": "slow", "when": "now"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidFault):
        Fault.parse(body)


def test_every_kind_has_a_place_and_reads_back_what_it_describes() -> None:
    assert set(PLACES) == set(FaultKind)
    for kind in FaultKind:
        fault = Fault.parse({"fault": kind.value, "count": 2, "message": "m"})
        assert Fault.parse(fault.describe()) == fault


def test_a_fault_waits_for_its_own_place() -> None:
    queue = FaultQueue()
    queue.add(Fault(kind=FaultKind.SLOW, place=Place.MEDIA))
    assert queue.take(Place.SUBMIT) is None
    assert queue.take(Place.MEDIA) is not None
    assert queue.take(Place.MEDIA) is None
