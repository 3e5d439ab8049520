"""The HTTP port of servers with settings of their own: tokens, origins, limits, TLS, a restart.

A process has one engine at a time, so these tests cannot share a module's server.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.protobuf import empty_pb2

from assetwright.v1 import generation_service_pb2 as pb
from server.app import run_server
from tests.server.house import start_house
from tests.web.caller import PROTO, framed, line_to
from tests.web.test_edges import LIST, PAGE
from tests.web.test_files import DATA as FILE
from tests.web.test_files import get, upload
from tests.web.test_uploads import head, put, reason, told

if TYPE_CHECKING:
    from pathlib import Path

    from server.settings import Settings
    from tests.web.caller import Line, Reply

DATA = b"glTF" + bytes(range(256)) * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


async def test_an_allowed_page_may_call_after_asking(settings: Settings) -> None:
    allowing = replace(settings, allowed_origins=(PAGE, "http://localhost:8080"))
    async with start_house(allowing) as house, line_to(house.running.http_address) as line:
        asked = {
            "origin": PAGE,
            "access_control_request_method": "POST",
            "access_control_request_headers": "content-type,x-grpc-web",
        }
        await line.send(line.request("OPTIONS", LIST, **asked))
        preflight = await line.answer()
        assert preflight.status == 204
        assert preflight.headers["access-control-allow-origin"] == PAGE
        assert preflight.headers["access-control-allow-headers"] == "content-type,x-grpc-web"
        assert "POST" in preflight.headers["access-control-allow-methods"]
        reply = await line.call(LIST, empty_pb2.Empty(), origin=PAGE)
        assert reply.code == 0
        assert reply.headers["access-control-allow-origin"] == PAGE
        assert "grpc-status" in reply.headers["access-control-expose-headers"]
        assert "origin" in reply.headers["vary"].lower()
        other = await _raw(line, origin="https://other.example.org")
        assert other.status == 403


async def _raw(line: Line, **headers: str) -> Reply:
    await line.send(line.request("POST", LIST, framed(b""), content_type=PROTO, **headers))
    return await line.answer()


async def test_behind_a_proxy_the_token_is_what_counts(settings: Settings) -> None:
    async with (
        start_house(replace(settings, tokens=("t",))) as house,
        line_to(house.running.http_address) as line,
    ):
        request = b"GET /v1/assets/x HTTP/1.1\r\nhost: assets.example.org\r\n"
        await line.send(request + b"authorization: Bearer t\r\n\r\n")
        assert (await line.answer()).status == 404
        await line.send(request + b"\r\n")
        assert (await line.answer()).status == 401


async def test_the_servers_own_token_check_stands_behind_the_bridge(settings: Settings) -> None:
    async with (
        start_house(replace(settings, tokens=("s3cret", "next"))) as house,
        line_to(house.running.http_address) as line,
    ):
        for wrong in ({}, {"authorization": "Bearer no"}, {"authorization": "s3cret"}):
            reply = await line.call(LIST, empty_pb2.Empty(), **wrong)
            assert (reply.code, reply.reason) == (16, "UNAUTHENTICATED")
        reply = await line.call(LIST, empty_pb2.Empty(), authorization="Bearer next")
        assert reply.code == 0
        reply = await line.call("/assetwright.v1.GenerationService/WatchJob", pb.WatchJobRequest())
        assert (reply.code, reply.messages) == (16, [])


async def test_the_bridge_works_where_grpc_asks_for_tls(settings: Settings, tmp_path: Path) -> None:
    """It has a port of its own behind, so no certificate has to name this process."""
    certificate, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    _self_signed(certificate, private)
    secure = replace(settings, tls_cert=certificate, tls_private=private)
    async with run_server(secure) as running, line_to(running.http_address) as line:
        assert (await line.call(LIST, empty_pb2.Empty())).code == 0


def _self_signed(certificate: Path, private: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


async def test_an_upload_outlives_a_restart(settings: Settings) -> None:
    total = len(DATA)
    async with start_house(settings) as house, line_to(house.running.http_address) as line:
        await put(line, "over-restart", DATA[:99], content_range=f"bytes 0-98/{total}")
    async with start_house(settings) as house, line_to(house.running.http_address) as line:
        assert (await head(line, "over-restart")).headers["upload-offset"] == "99"
        rest = f"bytes 99-{total - 1}/{total}"
        reply = await put(line, "over-restart", DATA[99:], content_range=rest)
        assert told(reply)["asset"]["sha256"] == SHA256


async def test_more_than_the_limit_is_refused_while_it_comes(settings: Settings) -> None:
    """A body of unknown length is cut off at the limit, and one of known length before it."""
    small = replace(settings, max_upload_bytes=1000)
    async with start_house(small) as house:
        async with line_to(house.running.http_address) as line:
            await line.send(
                line.request("PUT", "/v1/uploads/unknown-length", transfer_encoding="chunked")
            )
            await line.send(b"3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n")
            reply = await line.answer()
            assert reason(reply) == (400, "INVALID_REQUEST")
            assert "ASSETWRIGHT_MAX_UPLOAD_BYTES" in told(reply)["error"]["message"]
        async with line_to(house.running.http_address) as line:
            assert reason(await put(line, "known-length", b"a" * 1001)) == (400, "INVALID_REQUEST")


async def test_an_upload_needs_a_token(settings: Settings) -> None:
    async with (
        start_house(replace(settings, tokens=("s3cret",))) as house,
        line_to(house.running.http_address) as line,
    ):
        reply = await put(line, "with-token", DATA)
        assert reason(reply) == (401, "UNAUTHENTICATED")
        assert reply.headers["www-authenticate"] == "Bearer"
        reply = await put(line, "with-token", DATA, authorization="Bearer s3cret")
        assert reply.status == 201


async def test_a_file_needs_a_token(settings: Settings) -> None:
    settings = replace(settings, tokens=("one", "two"))
    async with start_house(replace(settings, tokens=())) as house:
        stored = await upload(house)
    async with start_house(settings) as house, line_to(house.running.http_address) as line:
        assert (await get(line, stored)).status == 401
        assert (await get(line, stored, authorization="Bearer three")).status == 401
        assert (await get(line, stored, authorization="Bearer two")).body == FILE
