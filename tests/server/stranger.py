"""A gateway of the tests' own, from the published pages; shares no code with the sandbox."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trimesh
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.gateway.models import Auth

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["StrangerGateway", "picture_file"]

HEADERS = {
    Auth.SUBSCRIPTION_KEY: "ocp-apim-subscription-key",
    Auth.SECRET_KEY: "x-secret-key",
    Auth.API_KEY: "x-api-key",
}
_POLLS = 2  # That say PROCESSING before the one that says COMPLETED.


def picture_file(form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, form)
    return file.getvalue()


@dataclass(slots=True)
class StrangerGateway:
    """Takes any request and answers in the form that its path's page describes."""

    bodies: list[dict[str, object]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    polls: int = 0
    glb: bytes = b""

    def __post_init__(self) -> None:
        sphere = trimesh.creation.icosphere(subdivisions=2, radius=0.5)
        self.glb = sphere.export(file_type="glb")

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/flux-1-schnell/v1/checkStatus", self.check_status, methods=["POST"]),
                Route("/v2/requests/status/{request_id}", self.status),
                Route("/r2/{name}", self.media),
                Route("/{path:path}", self.submit, methods=["POST"]),
            ]
        )

    async def submit(self, request: Request) -> Response:
        path = request.url.path
        self.bodies.append(await request.json())
        self.headers.append(dict(request.headers))
        self.paths.append(path)
        self.polls = 0
        if path == "/v1/aura-flow":
            credits_left = {"x-remaining-credits": "41.5"}
            return Response(picture_file("WEBP"), media_type="image/webp", headers=credits_left)
        if path.endswith(("/generateImage", "/generateT2I", "/getData")):
            return JSONResponse({"output": self._url(request, "output.png")})
        if path.endswith("/getDataBatch"):
            return JSONResponse({"requestId": "batch-1", "status": "processing"}, status_code=202)
        name = "trained" if "trainer" in path else "pixal3d" if "pixal3d" in path else "picture"
        reply = {
            "request_id": f"{name}_019d",
            "status": "QUEUED",
            "polling_url": f"{request.base_url}v2/requests/status/{name}_019d",
        }
        return JSONResponse(reply, status_code=202)

    async def status(self, request: Request) -> Response:
        self.polls += 1
        done = self.polls > _POLLS
        request_id = request.path_params["request_id"]
        endings = {"trained": "weights.ext", "pixal3d": "output.glb", "picture": "output.png"}
        url = self._url(request, endings[request_id.partition("_")[0]])
        return JSONResponse(
            {
                "request_id": request_id,
                "status": "COMPLETED" if done else "PROCESSING",
                "model_id": request_id.partition("_")[0],
                "error": None,
                "output": {"media_url": [url], "media_type": "model/glb"} if done else None,
                "created_at": "2026-05-22T13:17:32.110Z",
                "updated_at": "2026-05-22 13:19:23",
                "completed_at": "2026-05-22 13:19:23" if done else None,
            }
        )

    async def check_status(self, request: Request) -> Response:
        self.polls += 1
        asked = await request.json()
        if self.polls <= _POLLS:
            return JSONResponse({"requestId": asked["requestId"], "status": "processing"})
        return JSONResponse(
            {
                "requestId": asked["requestId"],
                "status": "completed",
                "output": self._url(request, "output.png"),
                "completedAt": 1_779_455_963_000,
            }
        )

    async def media(self, request: Request) -> Response:
        assert not set(HEADERS.values()) & set(request.headers), "the key is no host's of media"
        name = request.path_params["name"]
        header = b'{"__metadata__":{}}'
        files = {
            "output.glb": self.glb,
            "output.png": picture_file("PNG"),
            "weights.ext": len(header).to_bytes(8, "little") + header,
        }
        return Response(files[name], media_type="application/octet-stream")

    def _url(self, request: Request, name: str) -> str:
        return f"{request.base_url}r2/{name}"
