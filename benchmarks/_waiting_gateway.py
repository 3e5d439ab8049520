"""A gateway that never finishes: its states alternate, so that each job has something to tell.

Run as `python _waiting_gateway.py SECONDS`, the time between two changes of a request's state; it
prints its port.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from server.asgi import serve_asgi

if __name__ == "__main__":
    change_s = float(sys.argv[1])
    numbers = itertools.count()

    async def submit(_request: object) -> JSONResponse:
        """Accept a request."""
        return JSONResponse({"request_id": f"r-{next(numbers)}", "status": "QUEUED"}, 202)

    async def status(request: object) -> JSONResponse:
        """Say one state, and then the other; requests do not change together."""
        request_id = request.path_params["request_id"]  # type: ignore[attr-defined]
        turn = time.monotonic() / change_s + int(request_id.partition("-")[2]) / 97
        word = "PROCESSING" if int(turn) % 2 else "QUEUED"
        return JSONResponse({"request_id": request_id, "status": word})

    async def main() -> None:
        """Serve until the end."""
        routes = [
            Route("/v2/requests/status/{request_id}", status),
            Route("/{path:path}", submit, methods=["POST"]),
        ]
        async with serve_asgi(Starlette(routes=routes), host="127.0.0.1", port=0) as address:
            print(address.rpartition(":")[2], flush=True)
            await asyncio.Event().wait()

    asyncio.run(main())
