"""Buy one generation: prepare, submit, wait, collect.

Each of the three may run again, here or on another node, except the paid POST: its intent is on
disk before it, and what became of an intent without an answer is for `server.jobs.doubts`.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from server.errors import (
    AssetInvalid,
    AssetwrightError,
    ContentRejected,
    GatewayRateLimited,
    GatewayRefusedUs,
    GatewayReplyUnknown,
    GatewayUnavailable,
    GenerationFailed,
    JobDeadlineExceeded,
    SubmissionUnknown,
)
from server.gateway.models import ModelTask
from server.gateway.parameters import request_body
from server.gateway.protocol import Finished, GatewayState, Status
from server.gateway.publishing import LocalInput
from server.jobs.events import GatewayUpdate, Notice
from server.jobs.ledger import Source, Witness
from server.jobs.media_types import HEAD_BYTES, is_picture, media_type, suffix
from server.jobs.model import (
    AssetRole,
    Charge,
    GenerateSpec,
    JobState,
    Outcome,
    Purchase,
    PurchaseKind,
    Stage,
)
from server.jobs.outlasting import outlast

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping

    from server.gateway.hooks import HookLinks
    from server.gateway.media import MediaFetcher
    from server.gateway.models import InputSpec, Model
    from server.gateway.polling import PollPace
    from server.gateway.protocol import GatewayProtocol, Submission
    from server.gateway.providers import Gateways
    from server.gateway.publishing import Publisher
    from server.gateway.values import BodyValue, ParameterValue
    from server.jobs.doubts import Doubts
    from server.jobs.events import Estimate
    from server.jobs.library import AssetLibrary
    from server.jobs.model import InputRef, Quote
    from server.jobs.run import JobRun
    from server.jobs.store import Store
    from server.storage import Blob

__all__ = ["Buyer", "Order"]

_SUBMIT_TRIES = 5
_STALE_S = 5.0  # Between the intent and the POST, when others may have given the job up.
_SILENCE_TRIES = 3  # Then the caller hears that the gateway does not answer; the job goes on.
# Answers that will not get better: how many in a row before the job gives up.
_PATIENCE: dict[type[AssetwrightError], int] = {GatewayRefusedUs: 5, GatewayReplyUnknown: 10}
_CHANCE = random.Random()  # noqa: S311 - jitter, not a secret
# Refusals after which a charge cannot be ruled out.
_IN_DOUBT = (SubmissionUnknown, GatewayReplyUnknown, GatewayUnavailable, GenerationFailed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A generation to buy."""

    kind: PurchaseKind
    model: Model
    prompt: str | None
    inputs: tuple[InputRef, ...]
    parameters: Mapping[str, ParameterValue]
    quote: Quote

    def result(self, position: int) -> tuple[AssetRole, str]:
        """Return what the result at a position is, and its name without an ending."""
        if self.kind is PurchaseKind.IMAGE:
            return AssetRole.INTERMEDIATE_IMAGE, f"intermediate-{position}"
        if self.model.task is ModelTask.IMAGE_TO_3D:
            return AssetRole.SOURCE, "source"
        if self.model.task is ModelTask.TRAIN:
            return AssetRole.FILE, f"file-{position}"
        return AssetRole.IMAGE, f"image-{position}"

    def stage(self, stage: Stage) -> Stage | None:
        """Return the stage to show; the image stage is one, whatever it consists of."""
        return None if self.kind is PurchaseKind.IMAGE else stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Everything that buying needs."""

    gateways: Gateways
    publisher: Publisher
    hooks: HookLinks
    media: MediaFetcher
    library: AssetLibrary
    store: Store
    pace: PollPace
    doubts: Doubts
    job_deadline_s: float

    async def submit(self, run: JobRun, order: Order) -> None:
        """Send the paid request, once in a job's life; learn what became of one sent before.

        Raises:
            AssetwrightError: Why there will be no result.
            CancelRequested: The job was cancelled.
        """
        purchase = run.job.purchase(order.kind)
        if purchase is not None and purchase.is_in_doubt:
            purchase = await self.doubts.settle(run, purchase, order.model)
        if purchase is None or purchase.submitting_since is None:
            body = await self._prepare(run, order)
            try:
                await self._submit(run, self.gateways.protocol(order.model), order, body)
            except SubmissionUnknown:
                purchase = run.job.purchase(order.kind)
                if purchase is None or not self.doubts.may_hear:
                    raise
                await self.doubts.settle(run, purchase, order.model)

    async def wait(self, run: JobRun, order: Order) -> None:
        """Wait until the gateway has finished.

        Raises:
            AssetwrightError: Why there is no result.
            CancelRequested: The job was cancelled.
        """
        purchase = _bought(run, order)
        if purchase.outcome is None:
            await self._wait(run, self.gateways.protocol(order.model), order, purchase)

    async def collect(self, run: JobRun, order: Order) -> None:
        """Have the results stored here, as they came.

        Raises:
            AssetwrightError: Why there is no result.
            CancelRequested: The job was cancelled.
        """
        if not run.collected(order.kind):
            await self._collect(run, order, _bought(run, order))

    async def _prepare(self, run: JobRun, order: Order) -> dict[str, BodyValue]:
        """Give every input an address that the gateway can fetch, and write the request."""
        async with run.stage(order.stage(Stage.PREPARE), JobState.PREPARING):
            if order.kind is PurchaseKind.IMAGE:
                await self.publisher.check()  # Its picture will need an address, once paid for.
            given = {one.role: one for one in order.inputs}
            addresses = {
                spec.role: await self._address(given[spec.role], spec)
                for spec in order.model.inputs
                if spec.role in given
            }
            return request_body(
                order.model,
                prompt=order.prompt,
                addresses=addresses,
                parameters=order.parameters,
            )

    async def _address(self, one: InputRef, spec: InputSpec) -> str:
        if one.asset_id is None:
            return one.url or ""
        asset = await self.library.get(one.asset_id)
        local = LocalInput(
            sha256=asset.sha256,
            size_bytes=asset.size_bytes,
            media_type=asset.media_type,
            as_file=lambda: self.library.local_copy(asset),
        )
        return await self.publisher.address(local, spec)

    async def _submit(
        self, run: JobRun, gateway: GatewayProtocol, order: Order, body: dict[str, BodyValue]
    ) -> None:
        """Send the paid POST once. Only a try that provably did not arrive is repeated."""
        # Where the answer is the result, sending is all there is to see.
        shown = Stage.GENERATE if order.model.protocol.answers_at_once else Stage.SUBMIT
        async with run.stage(order.stage(shown), JobState.SUBMITTING):
            for attempt in range(1, _SUBMIT_TRIES + 1):
                run.check_cancel()
                try:
                    await _uninterrupted(self._pay(run, gateway, order, body))
                except AssetwrightError as exc:
                    if not _provably_refused(exc) or attempt == _SUBMIT_TRIES:
                        raise
                    await run.pause(self._back_off(attempt, exc))
                else:
                    return

    async def _pay(
        self, run: JobRun, gateway: GatewayProtocol, order: Order, body: Mapping[str, BodyValue]
    ) -> None:
        """Write down the intent, send, write down what came of it: never one without the others."""
        began = time.monotonic()
        purchase = await self._intend(run, order)
        try:
            if time.monotonic() - began > _STALE_S:
                raise GatewayUnavailable("The server stood still; nothing was sent.", sent="no")
            await self._post(run, gateway, order, purchase, body)
        except AssetwrightError as exc:
            await _settle(run, purchase, exc)
            raise

    async def _intend(self, run: JobRun, order: Order) -> Purchase:
        """Have on disk that it may be sent now, before it is."""
        purchase = Purchase(
            kind=order.kind,
            model=order.model.id,
            charge=Charge.NOT_CHARGED if run.job.sandbox else Charge.UNKNOWN,
            price=order.quote.high,
            price_is_exact=order.quote.low == order.quote.high,
            intent=secrets.token_hex(8),
            submitting_since=datetime.now(UTC),
        )
        await run.record(purchase=purchase)
        return purchase

    async def _post(
        self,
        run: JobRun,
        gateway: GatewayProtocol,
        order: Order,
        purchase: Purchase,
        body: Mapping[str, BodyValue],
    ) -> None:
        """Send, and have the answer on disk before anything else can happen."""
        webhook = self.hooks.webhook(run.job.id)
        answer = await gateway.submit(order.model, body, webhook=webhook)
        if isinstance(answer, Finished):
            await self._answered(run, purchase, answer)
            return
        accepted: Submission = answer
        purchase = msgspec.structs.replace(
            purchase, gateway_request_id=accepted.request_id, submitted_at=datetime.now(UTC)
        )
        witness = Witness(source=Source.ANSWER, gateway_request_id=accepted.request_id)
        await run.record(state=JobState.GENERATING, purchase=purchase, witness=witness)

    async def _answered(self, run: JobRun, purchase: Purchase, answer: Finished) -> None:
        """Keep a result that came with the answer."""
        sha256 = None
        if (body := answer.body) is not None:
            put = partial(self.library.blobs.put, body)
            sha256 = (await outlast(run, put, within_s=self.job_deadline_s)).sha256
        purchase = msgspec.structs.replace(
            purchase,
            charge=_paid(run),
            gateway_request_id=answer.request_id,
            submitted_at=purchase.submitting_since,
            generated_at=datetime.now(UTC),
            outcome=Outcome(media_urls=answer.media_urls, sha256=sha256),
        )
        witness = Witness(
            source=Source.ANSWER,
            gateway_request_id=answer.request_id,
            outcome=purchase.outcome,
        )
        notices = []
        if answer.remaining_credits is not None:
            message = f"The provider says that {answer.remaining_credits} credits remain."
            notices.append(Notice(code="REMAINING_CREDITS", message=message))
        await run.record(*notices, state=JobState.GENERATING, purchase=purchase, witness=witness)

    async def _wait(
        self, run: JobRun, gateway: GatewayProtocol, order: Order, purchase: Purchase
    ) -> None:
        """Ask until the gateway has finished."""
        estimate = await self.store.estimate(order.model.id, sandbox=run.job.sandbox)
        async with run.stage(
            order.stage(Stage.GENERATE), JobState.GENERATING, since=purchase.submitted_at
        ):
            status = await self._poll(run, gateway, order, purchase, estimate)
            if status.state is GatewayState.ERROR:  # "Not charged", say the pages.
                purchase = msgspec.structs.replace(purchase, charge=Charge.NOT_CHARGED)
                await run.record(purchase=purchase)
            if status.state is not GatewayState.COMPLETED:
                raise _failure(status)
            purchase = msgspec.structs.replace(
                purchase,
                charge=_paid(run),
                generated_at=datetime.now(UTC),
                outcome=Outcome(media_urls=status.media_urls),
            )
            await run.record(purchase=purchase)

    async def _poll(
        self,
        run: JobRun,
        gateway: GatewayProtocol,
        order: Order,
        purchase: Purchase,
        estimate: Estimate | None,
    ) -> Status:
        since = purchase.submitted_at or run.job.created_at
        expected_s = None if estimate is None else estimate.median_s
        # A job that resumes asks at once: its result may have been waiting.
        pause_s = 0.0 if run.resumed else self.pace.shortest_s
        word, failures = "", 0
        while True:
            await run.pause(pause_s)
            self._check_deadline(run)
            try:
                status = await gateway.status(order.model, purchase.gateway_request_id or "")
            except AssetwrightError as exc:
                failures += 1
                pause_s = await self._bear(run, exc, failures)
                continue
            failures = 0
            elapsed_s = (datetime.now(UTC) - since).total_seconds()
            if status.word != word:
                word = status.word
                await _tell(run, status, elapsed_s, estimate)
            if status.state.is_final:
                return status
            pause_s = self.pace.pause_s(elapsed_s=elapsed_s, expected_s=expected_s, chance=_CHANCE)

    async def _bear(self, run: JobRun, error: AssetwrightError, failures: int) -> float:
        """Return how long to wait after a failed poll; at the gateway the paid request goes on."""
        if failures >= _PATIENCE.get(type(error), failures + 1):
            raise error
        if failures == _SILENCE_TRIES:
            await run.record(Notice(code="GATEWAY_SILENT", message=str(error)))
        return self._back_off(failures, error)

    def _check_deadline(self, run: JobRun) -> None:
        spec = run.job.spec
        asked_s = spec.max_duration_s if isinstance(spec, GenerateSpec) else None
        allowed_s = min(asked_s or self.job_deadline_s, self.job_deadline_s)
        began = run.job.reopened_at or run.job.created_at
        if datetime.now(UTC) - began > timedelta(seconds=allowed_s):
            raise JobDeadlineExceeded(
                f"The generation took longer than {allowed_s:g} s.", allowed_s=f"{allowed_s:g}"
            )

    async def _collect(self, run: JobRun, order: Order, purchase: Purchase) -> None:
        """Fetch the results at once, since their links expire, and keep the bytes as they came."""
        async with run.stage(order.stage(Stage.DOWNLOAD), JobState.DOWNLOADING):
            keep_all = partial(self._keep_all, run, order, purchase)
            await outlast(run, keep_all, within_s=self.job_deadline_s)

    async def _keep_all(self, run: JobRun, order: Order, purchase: Purchase) -> None:
        async for position, blob in self._blobs(run, order, purchase):
            await self._keep(run, order, position, blob)

    async def _blobs(
        self, run: JobRun, order: Order, purchase: Purchase
    ) -> AsyncIterator[tuple[int, Blob]]:
        """Yield the results that are not stored yet, with their positions."""
        outcome = purchase.outcome or Outcome()
        if outcome.sha256 is not None:
            yield 0, await self.library.blobs.describe(outcome.sha256)
        for position, url in enumerate(outcome.media_urls):
            stem = order.result(position)[1]
            if any(asset.name.partition(".")[0] == stem for asset in run.job.assets):
                continue  # Stored before a restart.
            async with self.library.writer() as writer:
                with run.progress(order.stage(Stage.DOWNLOAD)) as progress:
                    await self.media.fetch(url, writer, progress=progress.bytes_done)
                    await progress.flush()
                yield position, await writer.commit()

    async def _keep(self, run: JobRun, order: Order, position: int, blob: Blob) -> None:
        """Store a result, and only then look at whether it is what was bought."""
        async with self.library.blobs.open(blob.sha256) as reader:
            kind = media_type(reader.read(HEAD_BYTES))
        role, stem = order.result(position)
        asset = await self.library.describe(
            blob,
            role=role,
            name=stem + suffix(kind),
            job_id=run.job.id,
            sandbox=run.job.sandbox,
        )
        await run.add_asset(asset)
        if role is AssetRole.SOURCE and kind != "model/gltf-binary":
            raise AssetInvalid("What the gateway delivered is no GLB.", media_type=kind)
        if role in (AssetRole.IMAGE, AssetRole.INTERMEDIATE_IMAGE) and not is_picture(kind):
            raise AssetInvalid("What the gateway delivered is no picture.", media_type=kind)

    def _back_off(self, failures: int, error: AssetwrightError) -> float:
        return self.pace.back_off_s(
            failures=failures, retry_after_s=error.retry_after_s, chance=_CHANCE
        )


def _paid(run: JobRun) -> Charge:
    return Charge.NOT_CHARGED if run.job.sandbox else Charge.CHARGED


def _bought(run: JobRun, order: Order) -> Purchase:
    """Return what `submit` has left."""
    purchase = run.job.purchase(order.kind)
    if purchase is None:
        raise TypeError(order.kind)
    return purchase


async def _uninterrupted(sending: Coroutine[Any, Any, None]) -> None:
    """Let a purchase come to its end, from the intent to the answer, even while the server stops.

    An intent that is stored but not followed by its POST would end the job as
    `SUBMISSION_UNKNOWN`, though nothing was sent.
    """
    task = asyncio.create_task(sending, name="paid request")
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _settle(run: JobRun, purchase: Purchase, error: AssetwrightError) -> None:
    """Put on record what a refusal says about the charge, and whether anything arrived."""
    witness = None
    if not isinstance(error, _IN_DOUBT) or _provably_refused(error):
        witness = Witness(source=Source.NOT_SENT)
        purchase = msgspec.structs.replace(purchase, charge=Charge.NOT_CHARGED)
    if _provably_refused(error):
        purchase = msgspec.structs.replace(purchase, submitting_since=None)
    await run.record(purchase=purchase, witness=witness)


def _provably_refused(error: AssetwrightError) -> bool:
    """Nothing was accepted: it never left this machine, or the gateway said 429."""
    return isinstance(error, GatewayRateLimited) or error.metadata.get("sent") == "no"


def _failure(status: Status) -> AssetwrightError:
    """Say how the generation ended."""
    said = f" It says: {status.error}" if status.error else ""
    kind = ContentRejected if status.is_content_refusal else GenerationFailed
    return kind(
        f"The generation ended with {status.word} at the gateway.{said}",
        gateway_state=status.word,
        **({"gateway_message": status.error} if status.error else {}),
    )


async def _tell(run: JobRun, status: Status, elapsed_s: float, estimate: Estimate | None) -> None:
    update = GatewayUpdate(gateway_state=status.word, elapsed_s=elapsed_s, estimate=estimate)
    if status.state is not GatewayState.UNKNOWN:
        await run.record(update)
        return
    message = f"The gateway says {status.word!r}, which its page does not describe."
    await run.record(update, Notice(code="GATEWAY_STATE_UNKNOWN", message=message))
