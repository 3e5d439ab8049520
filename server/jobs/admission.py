"""What is checked before a job is stored or paid for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from asset_processing import ProcessingOptions
from server.errors import (
    AssetNotFound,
    BudgetExceeded,
    DiskFull,
    InvalidRequest,
    ModelNotFound,
    ModelNotReady,
    PriceUnknown,
    Violation,
)
from server.gateway.models import InputRole, ModelTask
from server.gateway.parameters import check_parameters, check_request, nearest
from server.jobs.media_types import picture_problem
from server.jobs.model import Money, PriceSource, ProcessSpec, Quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from server.gateway.models import Catalog, Model, ParameterValue
    from server.gateway.providers import Gateways
    from server.gateway.publishing import Publisher
    from server.jobs.library import AssetLibrary
    from server.jobs.model import GenerateSpec, InputRef, Job

__all__ = ["Admission"]

_MAX_LABELS = 16
_MAX_KEY = 63
_MAX_VALUE = 255
_MAX_URL = 2048
_MICROS = 1_000_000
_SANDBOX_PRICE = "The sandbox charges nothing; this is the provider's price. "


class Admission:
    """Refuses what would fail, before it costs anything."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        gateways: Gateways,
        library: AssetLibrary,
        publisher: Publisher,
        sandbox: bool,
        max_picture_bytes: int,
        min_free_bytes: int,
        disk_budget_bytes: int | None = None,
    ) -> None:
        """Check requests.

        Args:
            catalog: The models.
            gateways: Who makes what.
            library: The inputs.
            publisher: How gateways reach them.
            sandbox: Whether the built-in gateway answers.
            max_picture_bytes: Largest input picture.
            min_free_bytes: Free disk space that has to be left.
            disk_budget_bytes: What all assets may have together; None: as much as there is.
        """
        self._catalog = catalog
        self._gateways = gateways
        self._library = library
        self._publisher = publisher
        self._sandbox = sandbox
        self._max_picture_bytes = max_picture_bytes
        self._min_free_bytes = min_free_bytes
        self._disk_budget_bytes = disk_budget_bytes

    def model(self, model_id: str) -> Model:
        """Return a model.

        Raises:
            ModelNotFound: There is none; the message names the nearest id.
        """
        model = self._catalog.get(model_id)
        if model is not None:
            return model
        guess = nearest(model_id, self._catalog.ids)
        hint = f" Did you mean {guess}?" if guess else ""
        raise ModelNotFound(
            f"There is no model {model_id!r}.{hint}",
            model=model_id,
            **({"nearest": guess} if guess else {}),
        )

    def serves(self, job: Job, *, sandbox: bool) -> bool:
        """Tell whether the gateways that a stored job needs are there."""
        if isinstance(job.spec, ProcessSpec):
            return True
        models = [self._catalog.get(name) for name in _model_ids(job.spec)]
        return job.sandbox == sandbox and all(
            model is not None and self._gateways.why_not_ready(model) is None for model in models
        )

    async def generate_violations(self, spec: GenerateSpec) -> list[Violation]:
        """Return everything that is wrong with a request to generate.

        Raises:
            ModelNotFound: There is no such model.
        """
        if not spec.model:
            problems = [Violation("model", "It is required.")]
        else:
            problems = self._model_violations(self.model(spec.model), spec)
        for position, one in enumerate(spec.inputs):
            problem = await self._input_problem(one)
            if problem is not None:
                problems.append(Violation(f"inputs[{position}].{problem.field}", problem.message))
        problems += _options_violations(spec.processing)
        if spec.model and self.model(spec.model).task is not ModelTask.IMAGE_TO_3D:
            problems += _mesh_only(spec)
        problems += _label_violations(spec.labels)
        if spec.max_cost is not None:
            problems += _cost_violations(spec.max_cost)
        return problems

    def _model_violations(self, model: Model, spec: GenerateSpec) -> list[Violation]:
        roles = [one.role for one in spec.inputs]
        stage = spec.image_stage
        if stage is None:
            return check_request(model, prompt=spec.prompt, roles=roles, parameters=spec.parameters)
        problems = []
        if model.task is not ModelTask.IMAGE_TO_3D:
            message = f"It feeds models that make 3D from a picture; {model.id} does not."
            problems.append(Violation("image_stage", message))
        if InputRole.SOURCE in roles:
            message = "The image stage makes the SOURCE; leave either out."
            problems.append(Violation("image_stage", message))
        problems += check_request(
            model, prompt=None, roles=[*roles, InputRole.SOURCE], parameters=spec.parameters
        )
        if not stage.model:
            return [*problems, Violation("image_stage.model", "It is required.")]
        painter = self.model(stage.model)
        if painter.task is not ModelTask.TEXT_TO_IMAGE:
            message = f"It must be a text-to-image model; {painter.id} is none."
            problems.append(Violation("image_stage.model", message))
        found = check_request(painter, prompt=spec.prompt, roles=(), parameters=stage.parameters)
        return problems + [
            one if one.field == "prompt" else Violation(f"image_stage.{one.field}", one.message)
            for one in found
        ]

    async def process_violations(self, spec: ProcessSpec) -> list[Violation]:
        """Return everything that is wrong with a request to post-process.

        Raises:
            AssetNotFound: There is no such asset.
        """
        problems = []
        if not spec.asset_id:
            problems.append(Violation("asset_id", "It is required."))
        else:
            await self._library.get(spec.asset_id)
        return [
            *problems,
            *_options_violations(spec.processing),
            *_label_violations(spec.labels),
        ]

    async def check_generate(self, spec: GenerateSpec) -> Quote:
        """Refuse a request without violations that this server cannot or may not serve.

        Raises:
            ModelNotReady, InputNotReachable, PriceUnknown, BudgetExceeded, DiskFull: See there.
        """
        models = [self.model(name) for name in _model_ids(spec)]
        for model in models:
            why_not = self._gateways.why_not_ready(model)
            if why_not is not None:
                raise ModelNotReady(why_not, model=model.id)
        local = _local_roles(spec)
        for one in self.model(spec.model).inputs:
            if one.role in local:
                self._publisher.refuse_unreachable(one)
        quote = self.quote_for(spec)
        _check_price(quote, spec)
        await self.check_disk()
        return quote

    async def check_disk(self) -> None:
        """Refuse work while there is little space left.

        Raises:
            DiskFull: There is less free space than a setting asks for, or the assets have as many
                bytes as another one allows.
        """
        free = self._library.blobs.free_bytes
        if free < self._min_free_bytes:
            raise DiskFull(
                f"Only {free} bytes are free in the data folder; "
                f"ASSETWRIGHT_MIN_FREE_BYTES asks for {self._min_free_bytes}.",
                free_bytes=str(free),
            )
        if self._disk_budget_bytes is None:
            return
        stored = await self._library.stored_bytes()
        if stored >= self._disk_budget_bytes:
            raise DiskFull(
                f"The assets have {stored} bytes; ASSETWRIGHT_DISK_BUDGET_BYTES allows "
                f"{self._disk_budget_bytes}.",
                stored_bytes=str(stored),
                budget_bytes=str(self._disk_budget_bytes),
            )

    def quote_for(self, spec: GenerateSpec) -> Quote:
        """Return what a job may cost, with its image stage."""
        quote = self.quote(self.model(spec.model), spec.parameters)
        if spec.image_stage is None:
            return quote
        picture = self.quote(self.model(spec.image_stage.model), spec.image_stage.parameters)
        return _sum(picture, quote)

    def quote(self, model: Model, parameters: Mapping[str, ParameterValue]) -> Quote:
        """Return the published prices that may apply."""
        prices = model.prices_for(parameters)
        return Quote(
            low=_money(prices[0]) if prices else None,
            high=_money(prices[-1]) if prices else None,
            source=PriceSource.PUBLISHED_PAGE if prices else PriceSource.NONE,
            note=_SANDBOX_PRICE + model.prices.note if self._sandbox else model.prices.note,
            as_of=model.prices.as_of,
        )

    def checked_quote(self, spec: GenerateSpec, problems: Sequence[Violation]) -> Quote:
        """Return the price of parameters that nobody has checked yet; inputs do not matter.

        Raises:
            ModelNotFound: There is no such model.
            InvalidRequest: Parameters are wrong; all are listed, after `problems`.
        """
        found = [*problems, *check_parameters(self.model(spec.model), spec.parameters)]
        if spec.image_stage is not None:
            painter = self.model(spec.image_stage.model)
            found += [
                Violation(f"image_stage.{one.field}", one.message)
                for one in check_parameters(painter, spec.image_stage.parameters)
            ]
        if found:
            raise InvalidRequest(*found)
        return self.quote_for(spec)

    async def _input_problem(self, one: InputRef) -> Violation | None:
        if one.url is not None:
            return _url_problem(one.url)
        if one.asset_id is None:
            return Violation("source", "It needs a url, an asset_id or inline_data.")
        try:
            asset = await self._library.get(one.asset_id)
        except AssetNotFound as exc:
            return Violation("asset_id", str(exc))
        if one.role is InputRole.DATASET:
            return None
        if asset.size_bytes > self._max_picture_bytes:
            return Violation(
                "asset_id",
                f"It has {asset.size_bytes} bytes; at most {self._max_picture_bytes} fit "
                "(ASSETWRIGHT_MAX_PICTURE_BYTES).",
            )
        problem = await asyncio.to_thread(picture_problem, await self._library.read(asset))
        return None if problem is None else Violation("asset_id", problem)


def _url_problem(url: str) -> Violation | None:
    if not url.startswith(("https://", "http://")):
        return Violation("url", "It must be a public http or https address.")
    if len(url) > _MAX_URL:
        return Violation("url", f"It has {len(url)} characters; at most {_MAX_URL} fit.")
    return None


def _options_violations(options: ProcessingOptions) -> list[Violation]:
    return [Violation(f"processing.{one.field}", one.message) for one in options.violations()]


def _mesh_only(spec: GenerateSpec) -> list[Violation]:
    if replace(spec.processing, provenance=None) == ProcessingOptions():
        return []
    return [Violation("processing", f"The model {spec.model} makes no mesh; leave it out.")]


def _label_violations(labels: Mapping[str, str]) -> list[Violation]:
    problems = []
    if len(labels) > _MAX_LABELS:
        problems.append(Violation("labels", f"There are {len(labels)}; at most {_MAX_LABELS} fit."))
    for key, value in labels.items():
        if not 0 < len(key) <= _MAX_KEY or len(value) > _MAX_VALUE:
            problems.append(
                Violation(
                    f"labels[{key[:_MAX_KEY]}]",
                    f"Keys have 1 to {_MAX_KEY} characters, values at most {_MAX_VALUE}.",
                )
            )
    return problems


def _cost_violations(cap: Money) -> list[Violation]:
    problems = []
    if cap.currency_code != "USD":
        problems.append(Violation("max_cost.currency_code", "Prices are in USD; it must be USD."))
    if cap.amount_micros < 0:
        problems.append(Violation("max_cost.amount_micros", "It is negative."))
    return problems


def _local_roles(spec: GenerateSpec) -> set[InputRole]:
    """Return the inputs whose bytes lie here; the image stage's picture will."""
    made = {InputRole.SOURCE} if spec.image_stage is not None else set()
    return made | {one.role for one in spec.inputs if one.url is None}


def _model_ids(spec: GenerateSpec) -> list[str]:
    return [spec.model, *([spec.image_stage.model] if spec.image_stage is not None else [])]


def _sum(first: Quote, second: Quote) -> Quote:
    """Return the price of both; unknown where either is."""
    lows = [one.low.amount_micros for one in (first, second) if one.low is not None]
    highs = [one.high.amount_micros for one in (first, second) if one.high is not None]
    known = len(highs) == 2  # noqa: PLR2004 - both
    return Quote(
        low=Money(amount_micros=sum(lows)) if known else None,
        high=Money(amount_micros=sum(highs)) if known else None,
        source=PriceSource.PUBLISHED_PAGE if known else PriceSource.NONE,
        note=" ".join(dict.fromkeys(one.note for one in (first, second) if one.note)),
        as_of=min(first.as_of, second.as_of),
    )


def _check_price(quote: Quote, spec: GenerateSpec) -> None:
    if quote.high is None:
        if not spec.accept_unpriced:
            raise PriceUnknown(f"No price is published for {spec.model}.", model=spec.model)
        return
    if spec.max_cost is not None and quote.high.amount_micros > spec.max_cost.amount_micros:
        raise BudgetExceeded(
            f"It may cost ${quote.high.amount_micros / _MICROS:g}; max_cost allows "
            f"${spec.max_cost.amount_micros / _MICROS:g}.",
            price_micros=str(quote.high.amount_micros),
            max_cost_micros=str(spec.max_cost.amount_micros),
        )


def _money(usd: Decimal) -> Money:
    return Money(amount_micros=int(usd * _MICROS))
