"""Settings come from the environment, once; what cannot be used is named."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from asset_processing import Limits
from assetwright.v1 import generation_service_pb2, generation_service_pb2_grpc
from server.app import run_server
from server.folder import FolderLock
from server.settings import GatewayMode, Settings, SettingsError, default_data_dir


def test_the_gateway_is_live_exactly_when_a_key_is_set() -> None:
    def mode(**environment: str) -> GatewayMode:
        return Settings.from_environment(environment).mode

    assert mode() is GatewayMode.SANDBOX
    assert mode(PIXAZO_API_KEY="") is GatewayMode.SANDBOX
    for name in ("PIXAZO_API_KEY", "PIXAZO_SECRET_KEY", "SEGMIND_API_KEY"):
        assert mode(**{name: "k"}) is GatewayMode.LIVE
    assert mode(PIXAZO_API_KEY="k", ASSETWRIGHT_GATEWAY="sandbox") is GatewayMode.SANDBOX


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ASSETWRIGHT_GATEWAY", "real"),
        ("ASSETWRIGHT_POLL_MIN_S", "0"),
        ("ASSETWRIGHT_POLL_MIN_S", "soon"),
        ("ASSETWRIGHT_MAX_RUNNING_JOBS", "1.5"),
        ("ASSETWRIGHT_INSECURE", "maybe"),
        ("ASSETWRIGHT_PROCESS_LIMITS", "max_file_bytes"),
        ("ASSETWRIGHT_PROCESS_LIMITS", "max_file_bytes=0"),
        ("ASSETWRIGHT_PROCESS_LIMITS", "max_gremlins=3"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: '{value}' cannot be used"):
        Settings.from_environment({name: value})


def test_limits_of_processing_change_one_by_one() -> None:
    environment = {"ASSETWRIGHT_PROCESS_LIMITS": "max_nodes=7, max_file_bytes=1000"}
    assert Settings.from_environment(environment).process_limits == Limits(
        max_nodes=7, max_file_bytes=1000
    )
    assert Settings.from_environment({}).process_limits is None


def test_secrets_are_not_shown() -> None:
    """A traceback or a log line that shows the settings must not show a key."""
    settings = Settings.from_environment(
        {"PIXAZO_API_KEY": "s3cret", "SEGMIND_API_KEY": "s3cret", "ASSETWRIGHT_TOKENS": "s3cret"}
    )
    assert settings.pixazo_api_key == "s3cret"
    assert "s3cret" not in repr(settings)


def test_polling_follows_the_pages_advice_unless_told_otherwise() -> None:
    assert Settings(pixazo_api_key="k").poll_range_s == (5.0, 10.0)
    assert Settings(pixazo_api_key="k", poll_max_s=2.0).poll_range_s == (2.0, 2.0)
    assert Settings(pixazo_api_key="k", poll_min_s=20.0).poll_range_s == (20.0, 20.0)


def test_data_goes_where_the_platform_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_data_dir("linux") == Path("/data/assetwright")
    assert default_data_dir("darwin").parts[-3:] == (
        "Library",
        "Application Support",
        "assetwright",
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"grpc": "0.0.0.0:0"}, "needs ASSETWRIGHT_TLS_CERT"),
        ({"http": "0.0.0.0:0"}, "the HTTP port has no TLS of its own"),
        ({"grpc": "0.0.0.0:0", "insecure": True}, "needs ASSETWRIGHT_TOKENS"),
        ({"grpc": "127.0.0.1"}, "is not HOST:PORT"),
        ({"grpc": "127.0.0.1:99999"}, "is not HOST:PORT"),
    ],
)
async def test_an_unsafe_or_wrong_address_is_refused(
    settings: Settings, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        async with run_server(replace(settings, **changes)):  # type: ignore[arg-type]
            pass


@pytest.mark.parametrize("name", ["grpc", "http"])
async def test_an_address_that_is_taken_is_named(settings: Settings, name: str) -> None:
    """Two servers must not share a port without knowing, even if the first one would share it."""
    with socket.socket() as taken:
        if hasattr(socket, "SO_REUSEPORT"):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SettingsError, match=f"ASSETWRIGHT_{name.upper()}"):
            async with run_server(replace(settings, **{name: address})):
                pass


async def test_a_process_has_one_server(settings: Settings) -> None:
    """The engine is a singleton there; the second one must not take the first one's."""
    async with run_server(settings) as running:
        with pytest.raises(RuntimeError, match="one engine"):
            async with run_server(replace(settings, data_dir=settings.folder / "other")):
                pass
        async with grpc.aio.insecure_channel(running.grpc_address) as channel:
            stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
            await stub.ListJobs(generation_service_pb2.ListJobsRequest())


def test_a_data_folder_has_one_server_and_the_second_is_told_which(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    with pytest.raises(
        SettingsError, match=f"in use by another server \\(process {os.getpid()}\\)"
    ):
        FolderLock(tmp_path)
    first.close()
    FolderLock(tmp_path).close()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions differ there")
async def test_the_secret_of_input_links_is_its_owners_alone(settings: Settings) -> None:
    """It is in the jobs' database."""
    settings.folder.mkdir(mode=0o755)
    async with run_server(settings):
        modes = {file.name: file.stat().st_mode for file in settings.folder.glob("jobs.sqlite3*")}
    assert "jobs.sqlite3" in modes
    assert not any(mode & 0o077 for mode in modes.values())
