"""``assetwright serve`` and ``sandbox``: the server, and a gateway that runs here."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from assetwright.cli._exit import ExitCode
from assetwright.cli._extras import needing_server_extra

if TYPE_CHECKING:
    import argparse

    from assetwright.cli._arguments import Commands
    from assetwright.cli._ui import Ui

__all__ = ["add_to"]

_SANDBOX_PORT = 50053  # Beside the server's own two.


def add_to(commands: Commands) -> None:
    """Add the commands."""
    serve = commands.add_parser("serve", help="run the server")
    serve.add_argument("--grpc", metavar="HOST:PORT", help="the gRPC port; port 0 picks one")
    serve.add_argument("--http", metavar="HOST:PORT", help="the HTTP port; port 0 picks one")
    serve.add_argument("--data-dir", type=Path, metavar="DIR", help="where jobs and assets live")
    serve.add_argument(
        "--insecure", action="store_true", help="allow other addresses than loopback without TLS"
    )
    serve.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end when standard input does, as it does with the program that started this one",
    )
    serve.set_defaults(run=_run_serve)
    sandbox = commands.add_parser("sandbox", help="run a gateway that costs nothing")
    sandbox.add_argument("--host", default="127.0.0.1", metavar="HOST")
    sandbox.add_argument(
        "--port", type=int, default=_SANDBOX_PORT, metavar="PORT", help="0 picks one"
    )
    sandbox.set_defaults(run=_run_sandbox)


def _run_serve(arguments: argparse.Namespace, _ui: Ui) -> int:
    with needing_server_extra():
        from server.app import serve  # noqa: PLC0415  # Optional.
    if arguments.until_stdin_closes:
        threading.Thread(target=_end_with_stdin, name="standard input", daemon=True).start()
    return serve(
        grpc=arguments.grpc,
        http=arguments.http,
        data_dir=arguments.data_dir,
        insecure=arguments.insecure,
    )


def _end_with_stdin() -> None:
    # Not through sys.stdin: its lock, held here, would break the interpreter's end.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    signal.raise_signal(signal.SIGTERM)


def _run_sandbox(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    with needing_server_extra():
        import server.sandbox  # noqa: F401, PLC0415  # Optional.
        from server.log import LogFormat, configure_logging  # noqa: PLC0415
    configure_logging(level="INFO", form=LogFormat.TEXT)  # On stderr, off our own lines.
    asyncio.run(_sandbox(arguments.host, arguments.port, ui))
    return ExitCode.OK


async def _sandbox(host: str, port: int, ui: Ui) -> None:
    from server.sandbox import SandboxSettings, run_sandbox  # noqa: PLC0415  # Optional.

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":  # Its loops take no handlers.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        else:
            loop.add_signal_handler(number, stop.set)
    async with run_sandbox(SandboxSettings(), host=host, port=port) as running:
        ui.show(f"assetwright sandbox ready {running.base_url}")
        ui.show("Any key is let in. To make a server buy from it:")
        ui.show(
            "  ASSETWRIGHT_GATEWAY=live PIXAZO_API_KEY=any "
            f"ASSETWRIGHT_PIXAZO_URL={running.base_url} "
            "ASSETWRIGHT_PUBLIC_URL=http://127.0.0.1:50052 assetwright serve"
        )
        await stop.wait()
