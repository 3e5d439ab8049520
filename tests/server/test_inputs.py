"""Local pictures reach a gateway: from a bucket, from our own port, or inside the request."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import shutil
import sys
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import grpc
import httpx
import pytest
import structlog

from assetwright.v1 import asset_pb2, model_pb2
from assetwright.v1 import generation_service_pb2 as pb
from server.app import run_server
from server.buckets import BucketAccess
from server.errors import InputNotReachable
from server.gateway.links import InputLinks
from server.gateway.models import InputRole, InputSpec
from server.gateway.publishing import (
    Bucket,
    BucketPublisher,
    InlinePublisher,
    LinkPublisher,
    LocalInput,
    publisher_for,
)
from server.log import LogFormat, configure_logging
from server.sandbox import SandboxSettings, run_sandbox
from server.settings import Settings, SettingsError
from tests.bucket import s3_server
from tests.server.house import House, charge, download, end_of, reason, start_house
from tests.server.test_bad_requests import refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from server.sandbox import RunningSandbox

    Make = Callable[..., pb.GenerateRequest]

KEY = "key-of-the-test"
SECRET = "secret-of-the-bucket"  # noqa: S105 - of a bucket that ends with the tests
PROMPT = "a lighthouse nobody else thought of"
TRAINER = "flux-2-pro-image-to-image-trainer"
ADDRESS = InputSpec(role=InputRole.SOURCE, field="image_url", required=True, help="-")
EITHER = InputSpec(role=InputRole.DATASET, field="f", required=True, help="-", data_uri=True)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 in a process of its own."""
    with s3_server(tmp_path_factory.mktemp("s3")) as address:
        yield address


@pytest.fixture
def place(s3: str, tmp_path: Path) -> str:
    """The address of a new, empty bucket."""
    address = f"{s3}/inputs-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}"
    httpx.put(address).raise_for_status()
    return address


def in_bucket(place: str, **changes: str) -> dict[str, object]:
    """Return the settings of a bucket, read as the server reads them."""
    endpoint, _, name = place.rpartition("/")
    environment = {
        "ASSETWRIGHT_INPUT_BUCKET": f"s3://{name}/for/gateways",
        "AWS_ACCESS_KEY_ID": "id-of-the-key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "1",
        **changes,
    }
    read, plain = Settings.from_environment(environment), Settings()
    names = ("input_bucket", *(name for name in Settings.__slots__ if name.startswith("aws_")))
    return {n: getattr(read, n) for n in names if getattr(read, n) != getattr(plain, n)}


def bucket_at(place: str) -> Bucket:
    endpoint, _, name = place.rpartition("/")
    return Bucket.at(
        f"s3://{name}/for/gateways",
        BucketAccess(
            access_key_id="id-of-the-key",
            secret_access_key=SECRET,
            endpoint=endpoint,
            region="us-east-1",
            allow_http=True,
        ),
    )


def links(base_url: str | None) -> InputLinks:
    return InputLinks(secret=b"s" * 32, base_url=base_url, now=time.time)


def local(path: Path, data: bytes) -> LocalInput:
    path.write_bytes(data)
    return LocalInput(
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        media_type="image/png",
        as_file=lambda: contextlib.nullcontext(path),
    )


@contextlib.asynccontextmanager
async def live(
    settings: Settings, *, host: str = "127.0.0.1", **changes: object
) -> AsyncIterator[tuple[House, RunningSandbox]]:
    """Start a sandbox as somebody else's gateway, and a server that calls it by `host`."""
    quick = SandboxSettings(queue_s=0.05, min_work_s=0.05, accepted_keys=frozenset({KEY}))
    async with run_sandbox(quick) as gateway:
        url = gateway.base_url.replace("127.0.0.1", host)
        changed = replace(settings, gateway=None, pixazo_api_key=KEY, pixazo_url=url, **changes)  # type: ignore[arg-type]
        async with start_house(changed) as house:
            yield house, gateway


def text_to_mesh(make: Make) -> pb.GenerateRequest:
    request = make(prompt=PROMPT, image_stage=pb.ImageStage(model="flux-1-schnell"))
    del request.inputs[:]
    return request


def test_the_first_way_that_is_configured_is_taken() -> None:
    """A bucket needs nothing of this machine, an own address no bucket, a data URI neither."""
    bucket = bucket_at("http://127.0.0.1:9/bucket")
    public, none = links("https://we.test"), links(None)
    assert isinstance(publisher_for(bucket=bucket, links=public), BucketPublisher)
    assert isinstance(publisher_for(bucket=bucket, links=none), BucketPublisher)
    assert isinstance(publisher_for(bucket=None, links=public), LinkPublisher)
    assert isinstance(publisher_for(bucket=None, links=none), InlinePublisher)


async def test_our_own_address_leads_to_the_bytes_by_their_hash(tmp_path: Path) -> None:
    one, ours = local(tmp_path / "a", b"abc"), links("https://we.test")
    link = await LinkPublisher(ours).address(one, ADDRESS)
    sha256, expires, signature = link.removeprefix("https://we.test/inputs/").split("/")
    assert sha256 == one.sha256
    assert ours.allows(sha256, expires, signature)


async def test_without_a_way_both_settings_are_named(tmp_path: Path) -> None:
    one = local(tmp_path / "a", b"abc")
    with pytest.raises(InputNotReachable, match="PUBLIC_URL or ASSETWRIGHT_INPUT_BUCKET"):
        await InlinePublisher().address(one, ADDRESS)
    InlinePublisher().refuse_unreachable(EITHER)


@pytest.mark.parametrize("size", [0, 1, 8])
async def test_a_data_uri_holds_the_bytes(tmp_path: Path, size: int) -> None:
    data = bytes(range(size))
    uri = await InlinePublisher(max_bytes=8).address(local(tmp_path / "a", data), EITHER)
    head, _, tail = uri.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(tail, validate=True) == data


async def test_what_is_too_large_for_a_request_says_what_to_set(tmp_path: Path) -> None:
    one = local(tmp_path / "a", bytes(9))
    with pytest.raises(
        InputNotReachable, match=r"has 9 bytes; at most 8 .* set ASSETWRIGHT_PUBLIC"
    ):
        await InlinePublisher(max_bytes=8).address(one, EITHER)


async def test_a_presigned_link_lasts_a_day_and_hands_out_the_bytes_as_what_they_are(
    place: str, tmp_path: Path
) -> None:
    """Seven MB go up in parts, and come down whole."""
    data = bytes(range(256)) * (7 << 12)
    one = local(tmp_path / "a", data)
    link = await BucketPublisher(bucket_at(place)).address(one, ADDRESS)
    assert link.startswith(f"{place}/for/gateways/{one.sha256}?")
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == [str(24 * 3600)]
    async with httpx.AsyncClient() as http:
        reply = await http.get(link)
    assert reply.headers["content-type"] == "image/png"
    assert reply.content == data


async def test_what_the_bucket_has_is_not_uploaded_again(place: str, tmp_path: Path) -> None:
    """Shown by an impostor of the right name and length, which stays; a stump is replaced."""
    one, bucket = local(tmp_path / "a", b"right"), bucket_at(place)
    async with httpx.AsyncClient() as http:
        for there, expected in ((b"wrong", b"wrong"), (b"wro", b"right")):
            await bucket.put(one.sha256, there, media_type="image/png")
            link = await BucketPublisher(bucket).address(one, ADDRESS)
            assert (await http.get(link)).content == expected


async def test_the_gateway_fetches_the_picture_from_the_bucket(
    settings: Settings, request_for: Make, place: str, picture: bytes
) -> None:
    """The bucket is taken although our own port would do, and only the link opens the object."""
    async with live(settings, **in_bucket(place)) as (house, gateway):
        events = await house.generate(request_for())
    assert charge(end_of(events).completed.receipt) == "CHARGED"
    (submission,) = gateway.submissions()
    link = str(submission.generation.body["image_url"])
    name = hashlib.sha256(picture).hexdigest()
    assert link.startswith(f"{place}/for/gateways/{name}?")
    assert "X-Amz-Signature" in parse_qs(urlsplit(link).query)
    async with httpx.AsyncClient() as http:
        stored = await http.get(link)
        assert (stored.content, stored.headers["content-type"]) == (picture, "image/png")
        unsigned = await http.get(link.partition("?")[0])
        assert unsigned.status_code == httpx.codes.FORBIDDEN


async def test_inputs_and_assets_in_one_bucket_need_nothing_of_this_machine(
    settings: Settings, request_for: Make, place: str, picture: bytes
) -> None:
    """The job's bytes are there by their hash, and any node with another folder hands them out."""
    shared = in_bucket(place) | {"assets": f"s3://{place.rpartition('/')[2]}/assets"}
    async with live(settings, **shared) as (house, gateway):
        done = end_of(await house.generate(request_for())).completed
    (submission,) = gateway.submissions()
    link = str(submission.generation.body["image_url"])
    assert link.startswith(f"{place}/for/gateways/{hashlib.sha256(picture).hexdigest()}?")
    assets = {asset.role: asset for asset in done.assets}
    model = assets[asset_pb2.ASSET_ROLE_MODEL]
    shutil.rmtree(settings.folder / "blobs")
    async with live(settings, **shared) as (house, _):
        whole = await download(house, model)
        assert hashlib.sha256(whole).hexdigest() == model.sha256
        assert await download(house, model, offset=1000) == whole[1000:]


@pytest.fixture
def configured_logging(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The server's own logging at DEBUG, and everybody else's too."""
    before = structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    configure_logging(level="DEBUG", form=LogFormat.JSON)
    with caplog.at_level(logging.DEBUG):
        yield
    structlog.configure(**before)
    for name in logging.root.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


@pytest.mark.usefixtures("configured_logging")
async def test_no_log_line_holds_a_link_a_key_or_a_prompt(
    settings: Settings,
    request_for: Make,
    place: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Text to mesh: the picture that was painted on the way goes through the bucket as well."""
    configure_logging(level="DEBUG", form=LogFormat.JSON)  # Again: it holds on to standard error.
    async with live(settings, **in_bucket(place)) as (house, gateway):
        events = await house.generate(text_to_mesh(request_for))
    completed = end_of(events).completed
    painted = [
        asset.sha256
        for asset in completed.assets
        if asset.role == asset_pb2.ASSET_ROLE_INTERMEDIATE_IMAGE
    ]
    link = str(gateway.submissions()[1].generation.body["image_url"])
    assert link.startswith(f"{place}/for/gateways/{painted[0]}?")
    (signature,) = parse_qs(urlsplit(link).query)["X-Amz-Signature"]
    said = "".join(capfd.readouterr()) + caplog.text
    assert "server_ready" in said
    for secret in (signature, "X-Amz-", KEY, SECRET, "id-of-the-key", PROMPT):
        assert secret not in said
        assert secret not in str(events)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ASSETWRIGHT_INPUT_BUCKET": "s3://no-such-bucket"}, "does not exist"),
        ({"AWS_ENDPOINT": "http://127.0.0.1:9"}, "does not answer"),
    ],
)
async def test_a_bucket_that_fails_is_named_before_anything_is_paid(
    settings: Settings, request_for: Make, place: str, changes: dict[str, str], says: str
) -> None:
    """The picture of an image stage would be paid for in vain, so the bucket is tried first."""
    async with live(settings, **in_bucket(place, **changes)) as (house, gateway):
        for request in (request_for(), text_to_mesh(request_for)):
            events = await house.generate(request)
            failed = end_of(events).failed
            assert reason(end_of(events)) == "INPUT_NOT_REACHABLE"
            assert f"The bucket for inputs {says}: check" in failed.error.message
            assert charge(failed.receipt) == "NOT_CHARGED"
            assert SECRET not in str(events)
        assert gateway.submissions() == ()


async def test_a_bucket_that_knows_no_such_key_is_named_without_quoting_it(
    s3: str, place: str, tmp_path: Path
) -> None:
    """S3's answer repeats the id of the key; ours says which settings to check."""
    one, publisher = local(tmp_path / "a", b"abc"), BucketPublisher(bucket_at(place))
    async with httpx.AsyncClient() as http:
        await http.post(f"{s3}/moto-api/reset-auth", content=b"0")  # From now on keys are checked.
        try:
            for attempt in (partial(publisher.address, one, ADDRESS), publisher.check):
                with pytest.raises(InputNotReachable, match="refuses this server") as raised:
                    await attempt()
                assert raised.value.__cause__ is None
                assert "id-of-the-key" not in str(raised.value)
        finally:
            await http.post(f"{s3}/moto-api/reset-auth", content=b"inf")


@pytest.mark.skipif(sys.platform == "win32", reason="0.0.0.0 leads nowhere there")
async def test_a_far_gateway_gets_the_bytes_in_the_request_where_the_model_takes_them(
    settings: Settings, picture: bytes
) -> None:
    """No address of ours and no bucket: a trainer reads a data URI and needs neither."""
    source = pb.Input(role=model_pb2.INPUT_ROLE_DATASET, inline_data=picture)
    request = pb.GenerateRequest(model=TRAINER, inputs=[source], accept_unpriced=True)
    async with live(settings, host="0.0.0.0") as (house, gateway):  # noqa: S104 - a name that is not loopback's
        events = await house.generate(request)
        (submission,) = gateway.submissions()
    assert end_of(events).WhichOneof("kind") == "completed"
    uri = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    assert submission.generation.body["image_data_url"] == uri


async def test_a_far_gateway_and_no_way_is_refused_before_a_job_is_made(
    settings: Settings, request_for: Make
) -> None:
    async with live(settings, host="0.0.0.0") as (house, _):  # noqa: S104 - as above
        for request in (request_for(), text_to_mesh(request_for)):
            refusal = await refused(house.generate(request))
            assert refusal.code == grpc.StatusCode.FAILED_PRECONDITION
            assert refusal.info.reason == "INPUT_NOT_REACHABLE"
            for setting in ("ASSETWRIGHT_PUBLIC_URL", "ASSETWRIGHT_INPUT_BUCKET"):
                assert setting in refusal.message
                assert setting in refusal.info.metadata["settings"]
        listed = await house.generation.ListJobs(pb.ListJobsRequest())
    assert not listed.jobs


@pytest.mark.parametrize("value", ["bucket", "https://bucket", "s3://", "s3://a b", "s3://b?x=1"])
def test_what_is_no_bucket_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match=r"ASSETWRIGHT_INPUT_BUCKET: .* s3://BUCKET/PREFIX"):
        Settings.from_environment({"ASSETWRIGHT_INPUT_BUCKET": value})


@pytest.mark.parametrize(("endpoint", "allow"), [("http://127.0.0.1:9", "0"), ("nowhere", "1")])
async def test_an_endpoint_is_https_or_meant(settings: Settings, endpoint: str, allow: str) -> None:
    changes = in_bucket(f"{endpoint}/bucket", AWS_ALLOW_HTTP=allow)
    with pytest.raises(SettingsError, match=r"AWS_ENDPOINT must be .* AWS_ALLOW_HTTP=1"):
        async with run_server(replace(settings, **changes)):  # type: ignore[arg-type]
            pass


def test_the_buckets_credentials_are_not_shown() -> None:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    settings = Settings.from_environment(dict.fromkeys(names, SECRET))
    assert settings.aws_session_token == SECRET
    assert SECRET not in repr(settings)
