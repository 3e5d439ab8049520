"""The gRPC server: its options, its services, its beginning and its end."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from assetwright.v1 import (
    asset_service_pb2,
    asset_service_pb2_grpc,
    generation_service_pb2,
    generation_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
)
from server.rpc.interceptors import Guard, TokenCheck

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from server.rpc.assets import AssetServicer
    from server.rpc.generation import GenerationServicer
    from server.rpc.models import ModelServicer

__all__ = ["MAX_REQUEST_BYTES", "SERVICE_NAMES", "RpcServer", "Tls", "tune_allocator"]

_SERVICES = (
    generation_service_pb2.DESCRIPTOR.services_by_name["GenerationService"].full_name,
    asset_service_pb2.DESCRIPTOR.services_by_name["AssetService"].full_name,
    model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name,
)
SERVICE_NAMES = _SERVICES
# Requests carry at most 1 MiB of inline picture or upload, and little beside it.
MAX_REQUEST_BYTES = 4 << 20
_OPTIONS = (
    # Two servers must not share a port without knowing.
    ("grpc.so_reuseport", 0),
    # The default sheds bursts of more than 1,000 new streams without an error of its own.
    ("grpc.server.max_pending_requests", 20_000),
    ("grpc.server.max_pending_requests_hard_limit", 40_000),
    # Find dead peers within 40 s; keepalive_timeout_ms alone is not honoured.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    # Clients may ping every 30 s without being sent away.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
)
_M_MMAP_THRESHOLD = -3
_M_TRIM_THRESHOLD = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Where certificate and key are; read anew for each connection, so that they can be renewed."""

    certificate: Path
    private_key: Path

    def credentials(self) -> grpc.ServerCredentials:
        """Return credentials that follow the files."""
        return grpc.dynamic_ssl_server_credentials(self._configuration(), self._configuration)

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        pair = (self.private_key.read_bytes(), self.certificate.read_bytes())
        return grpc.ssl_server_certificate_configuration([pair])


class RpcServer:
    """The gRPC server with all services."""

    def __init__(
        self,
        *,
        generation: GenerationServicer,
        assets: AssetServicer,
        models: ModelServicer,
        tokens: Sequence[str],
        max_streams: int,
        with_reflection: bool,
    ) -> None:
        self._server = grpc.aio.server(
            # The guard is outermost: whatever goes wrong further in gets its status there.
            interceptors=(Guard(), TokenCheck(tokens)),
            options=_OPTIONS,
            maximum_concurrent_rpcs=max_streams,
        )
        self._health = health.aio.HealthServicer()
        generation_service_pb2_grpc.add_GenerationServiceServicer_to_server(
            generation, self._server
        )
        asset_service_pb2_grpc.add_AssetServiceServicer_to_server(assets, self._server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(models, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if with_reflection:
            names = (*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)

    def add_inner_port(self, address: str) -> int:
        """Listen at an address for this process alone, without TLS; before `start`.

        Returns:
            The port; for a Unix socket any positive number.

        Raises:
            RuntimeError: The address is taken or not ours.
        """
        return self._server.add_insecure_port(address)

    async def start(self, address: str, tls: Tls | None) -> int:
        """Listen, and say SERVING.

        Returns:
            The port.

        Raises:
            RuntimeError: The address is taken or not ours.
        """
        if tls is None:
            port = self._server.add_insecure_port(address)
        else:
            port = self._server.add_secure_port(address, tls.credentials())
        await self._server.start()
        for name in ("", *_SERVICES):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def announce_end(self) -> None:
        """Say NOT_SERVING, so that nobody new is sent here."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace_s: float) -> None:
        """Take no new calls, and end those that are left after `grace_s` seconds."""
        await self._server.stop(grace_s)


def tune_allocator() -> None:
    """Keep glibc from mapping and unmapping every chunk (benchmarks/README.md, "Surprises").

    Elsewhere there is nothing to tune.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
            libc.mallopt(_M_TRIM_THRESHOLD, 128 << 20)
