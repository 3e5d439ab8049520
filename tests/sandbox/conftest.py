"""Pictures drawn here, a place on loopback that serves them, and a sandbox without waiting."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from pytest_asyncio import is_async_test
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from server.asgi import serve_asgi
from server.sandbox import RunningSandbox, SandboxSettings, Worker, run_sandbox

if TYPE_CHECKING:
    from starlette.requests import Request

KEY = {"Ocp-Apim-Subscription-Key": "a key", "X-Secret-Key": "a key", "x-api-key": "a key"}
SUBMIT = "/pixal3d/v1/pixal3d-request"


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    """Encode (h, w, 3 or 4) bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def away_from(x: float, y: float, *, size: int = 256) -> np.ndarray:
    """Distance of each pixel from a point, in pixels."""
    rows, columns = np.mgrid[:size, :size]
    return np.hypot(columns - x, rows - y)


def disc(*, radius: float = 80, size: int = 256) -> bytes:
    """Draw an antialiased disc with a vertical gradient, cut out by its alpha."""
    away = away_from((size - 1) / 2, (size - 1) / 2, size=size)
    pixels = np.zeros((size, size, 4))
    pixels[..., 0] = 200
    pixels[..., 1] = np.linspace(40, 220, size)[:, None]
    pixels[..., 2] = 60
    pixels[..., 3] = 255 * np.clip(radius - away + 0.5, 0, 1)
    return encoded(pixels)


def on_background(
    coverage: np.ndarray, *, colour: tuple[int, ...], background: tuple[int, ...], kind: str
) -> bytes:
    """Draw a flat subject on a flat background, without alpha."""
    mixed = coverage[..., None] * np.array(colour) + (1 - coverage[..., None]) * background
    return encoded(np.round(mixed), kind)


class Draw:
    """The helpers above, for tests that draw their own pictures."""

    disc = staticmethod(disc)
    encoded = staticmethod(encoded)
    away_from = staticmethod(away_from)
    on_background = staticmethod(on_background)

    @staticmethod
    def base64(data: bytes) -> str:
        """Encode bytes for a JSON body."""
        return base64.b64encode(data).decode()


@pytest.fixture
def draw() -> type[Draw]:
    return Draw


class PictureHost:
    """A web server that serves whatever a test puts into `files`."""

    def __init__(self, base_url: str, files: dict[str, bytes]) -> None:
        self.base_url = base_url
        self.files = files
        self.redirects: dict[str, str] = {}
        self.callbacks: list[dict[str, Any]] = []
        self.callback_answers: list[int] = []

    def url(self, name: str) -> str:
        """Address of a file."""
        return f"{self.base_url}/{name}"

    async def wait_for_callbacks(self, count: int) -> None:
        """Wait until so many callbacks have come."""
        async with asyncio.timeout(10):
            while len(self.callbacks) < count:
                await asyncio.sleep(0.02)

    async def answer(self, request: Request) -> Response:
        """Serve a file, redirect, or take a callback."""
        name = request.path_params["name"]
        if request.method == "POST":
            self.callbacks.append(await request.json())
            return Response(
                status_code=self.callback_answers.pop(0) if self.callback_answers else 200
            )
        if name in self.redirects:
            return RedirectResponse(self.redirects[name])
        if name not in self.files:
            return Response(status_code=404)
        return Response(self.files[name])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each module here one event loop, so that what is slow to start and stop is shared."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving_host() -> AsyncIterator[PictureHost]:
    """The module's picture host."""
    found = PictureHost("", {})
    app = Starlette(routes=[Route("/{name}", found.answer, methods=["GET", "POST"])])
    async with serve_asgi(cast("Any", app), host="127.0.0.1", port=0) as address:
        found.base_url = f"http://{address}"
        yield found


@pytest.fixture
def host(serving_host: PictureHost) -> PictureHost:
    """The module's picture host as if it were new."""
    serving_host.files = {"disc.png": disc()}
    serving_host.redirects, serving_host.callbacks = {}, []
    serving_host.callback_answers = []
    return serving_host


class Client:
    """A sandbox and an HTTP client that holds a key for it."""

    def __init__(self, sandbox: RunningSandbox, http: httpx.AsyncClient) -> None:
        self.sandbox = sandbox
        self.http = http

    async def submit(self, **body: object) -> httpx.Response:
        """Submit with headers under `headers`; a small mesh unless the body says otherwise."""
        headers = cast("dict[str, str]", body.pop("headers", {}))
        small = {"decimation_target": 600, "texture_size": 1024, "seed": 1}
        return await self.http.post(SUBMIT, json=small | body, headers=headers)

    async def make(self, path: str, **body: object) -> dict[str, Any]:
        """Ask a queued model and wait for its end."""
        reply = await self.http.post(path, json=body)
        assert reply.status_code == 202, reply.text
        return await self.end(reply.json()["request_id"])

    async def status(self, request_id: str) -> dict[str, Any]:
        """Poll once."""
        reply = await self.http.get(f"/v2/requests/status/{request_id}")
        return cast("dict[str, Any]", reply.json())

    async def end(self, request_id: str) -> dict[str, Any]:
        """Poll until the request has ended."""
        async with asyncio.timeout(30):
            while (found := await self.status(request_id))["status"] in {"QUEUED", "PROCESSING"}:
                await asyncio.sleep(0.02)  # A client can only poll.
        return found

    async def fault(self, **body: object) -> httpx.Response:
        """Queue a fault."""
        return await self.http.post("/sandbox/faults", json=body)


Start = Callable[..., Awaitable[Client]]


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """One worker process for all sandboxes: starting it takes longer than most of its work.

    Tests about the process itself start their own.
    """
    shared = Worker()
    yield shared
    asyncio.run(shared.aclose())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[list[contextlib.AsyncExitStack]]:
    """What the module's tests opened: closed together, since closing is mostly waiting."""
    stacks: list[contextlib.AsyncExitStack] = []
    yield stacks
    await asyncio.gather(*(stack.aclose() for stack in stacks))


@pytest.fixture
def start(worker: Worker, opened: list[contextlib.AsyncExitStack]) -> Start:
    """Start sandboxes that do not wait; settings and `clock` by keyword."""

    async def start_one(**settings: object) -> Client:
        stack = contextlib.AsyncExitStack()
        opened.append(stack)
        clock = {"clock": settings.pop("clock")} if "clock" in settings else {}
        chosen = SandboxSettings(**({"queue_s": 0.0, "min_work_s": 0.0} | settings))
        sandbox = await stack.enter_async_context(run_sandbox(chosen, worker=worker, **clock))
        http = httpx.AsyncClient(
            base_url=sandbox.base_url, headers=KEY, timeout=20, trust_env=False
        )
        return Client(sandbox, await stack.enter_async_context(http))

    return start_one
