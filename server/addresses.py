"""Addresses: taken apart, listened on, and refused where they would expose too much."""

from __future__ import annotations

import contextlib
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.asgi import listen
from server.settings import SettingsError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from server.settings import Settings

__all__ = ["bracketed", "check_exposure", "host_of", "is_loopback", "listening", "split_address"]


def check_exposure(settings: Settings, *, grpc_host: str, http_host: str) -> None:
    """Refuse to be reachable from elsewhere without meaning it.

    Raises:
        SettingsError: A port is open to others without TLS, or without tokens.
    """
    exposed = [host for host in (grpc_host, http_host) if not is_loopback(host)]
    if not exposed:
        return
    if not is_loopback(grpc_host) and settings.tls_cert is None and not settings.insecure:
        raise SettingsError(
            "ASSETWRIGHT_GRPC: an address other than loopback needs ASSETWRIGHT_TLS_CERT and "
            "ASSETWRIGHT_TLS_PRIVATE, or --insecure behind a proxy that has them."
        )
    if not is_loopback(http_host) and not settings.insecure:
        raise SettingsError(
            "ASSETWRIGHT_HTTP: the HTTP port has no TLS of its own, so an address other than "
            "loopback needs --insecure, behind a proxy that has it."
        )
    if not settings.tokens:
        raise SettingsError("An address other than loopback needs ASSETWRIGHT_TOKENS.")


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen for HTTP for as long as the context is open.

    Raises:
        SettingsError: The address is taken or not ours.
    """
    try:
        listener = listen(host, port)
    except OSError as exc:
        raise SettingsError(
            f"ASSETWRIGHT_HTTP: {host}:{port} cannot be listened on: {exc.strerror}."
        ) from exc
    with listener:
        yield listener


def split_address(address: str, setting: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`.

    Raises:
        SettingsError: It is not of that form; the message names the setting.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - TCP's last port
        raise SettingsError(f"{setting}: {address!r} is not HOST:PORT.")
    return host.strip("[]"), int(port)


def bracketed(host: str) -> str:
    """Return a host as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, reachable from here alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """Return the host of a URL."""
    return urlsplit(url).hostname or ""
