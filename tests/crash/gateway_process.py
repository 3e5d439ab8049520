"""A gateway that outlives the servers: the sandbox, and the picture that it fetches.

    python tests/crash/gateway_process.py FOLDER

Prints the sandbox's address and the picture's, and runs until standard input ends.
"""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

from PIL import Image, ImageDraw
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from server.asgi import serve_asgi
from server.log import LogFormat, configure_logging
from server.sandbox import SandboxSettings, run_sandbox


def picture() -> bytes:
    """Return a small PNG with one round subject on a transparent ground."""
    image = Image.new("RGBA", (96, 96))
    ImageDraw.Draw(image).ellipse((20, 12, 76, 84), fill=(180, 60, 40, 255))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


async def main(folder: Path) -> None:
    """Serve until standard input ends."""
    configure_logging(level="INFO", form=LogFormat.TEXT)  # On stderr, off our own line.
    data = picture()
    app = Starlette(
        routes=[Route("/picture.png", lambda _: Response(data, media_type="image/png"))]
    )
    settings = SandboxSettings(queue_s=0.3, min_work_s=0.7, data_dir=folder, max_open_requests=500)
    async with (
        serve_asgi(app, host="127.0.0.1", port=0) as address,
        run_sandbox(settings) as sandbox,
    ):
        sys.stdout.write(f"{sandbox.base_url} http://{address}/picture.png\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
