"""What every submit has in common: the key, the body, the wallet, the acceptance."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from server.sandbox.answers import Refused, bad_request, problem, too_expensive
from server.sandbox.body import UnusableBody, read_form, read_json
from server.sandbox.engine import TooManyRequests
from server.sandbox.errors import InvalidRequest
from server.sandbox.models import Auth, Protocol, parse_generation
from server.sandbox.webhooks import parse_webhook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from server.sandbox.engine import Engine
    from server.sandbox.models import Currency, Generation, Model
    from server.sandbox.requests import GatewayRequest
    from server.sandbox.settings import SandboxSettings
    from server.sandbox.wallet import Wallet
    from server.sandbox.webhooks import Webhook

__all__ = ["Intake"]

_SECRET = frozenset({"authorization", "cookie", *(auth.value.lower() for auth in Auth)})


class Intake:
    """Takes requests in, or refuses them."""

    def __init__(
        self, settings: SandboxSettings, *, engine: Engine, wallets: Mapping[Currency, Wallet]
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._wallets = wallets

    def authorise(self, request: Request, auth: Auth) -> None:
        """Let in who holds a key.

        Raises:
            Refused: With 401.
        """
        key = request.headers.get(auth.value)
        accepted = self._settings.accepted_keys
        if not key:
            raise Refused(problem(HTTPStatus.UNAUTHORIZED, f"The header {auth.value} is missing."))
        if accepted and key not in accepted:
            raise Refused(problem(HTTPStatus.UNAUTHORIZED, "Invalid subscription key."))

    async def json(self, request: Request) -> object:
        """Read a JSON body.

        Raises:
            Refused: There is none.
        """
        try:
            return await read_json(request, max_bytes=self._settings.max_body_bytes)
        except UnusableBody as exc:
            raise Refused(problem(exc.status, str(exc))) from None

    async def accept(self, request: Request, model: Model) -> GatewayRequest:
        """Check a request, charge for it and start its work.

        Raises:
            Refused: It is not authorised, not valid, not affordable, or one too many.
        """
        self.authorise(request, model.auth)
        generation, webhook = await self._parse(request, model)
        wallet = self._wallets[model.currency]
        if not wallet.charge(generation.price):
            raise Refused(too_expensive(generation))
        try:
            return await self._engine.accept(
                generation,
                headers={k: v for k, v in request.headers.items() if k not in _SECRET},
                base_url=str(request.base_url).rstrip("/"),
                webhook=webhook,
            )
        except TooManyRequests:
            wallet.refund(generation.price)
            raise Refused(
                problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests are unfinished.")
            ) from None

    async def _parse(self, request: Request, model: Model) -> tuple[Generation, Webhook | None]:
        most = self._settings.max_body_bytes
        try:
            if model.protocol is Protocol.IMAGE:
                body = await read_form(request, model.parameters, max_bytes=most)
            else:
                body = await read_json(request, max_bytes=most)
            generation = parse_generation(body, model)
            return generation, parse_webhook(request.headers, generation)
        except InvalidRequest as exc:
            raise Refused(bad_request(str(exc))) from None
        except UnusableBody as exc:
            raise Refused(problem(exc.status, str(exc))) from None
