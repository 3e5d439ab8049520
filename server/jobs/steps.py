"""What happens to a job: what it buys, and what is done with what comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from asset_processing import Provenance
from server.gateway.models import InputRole, ModelTask
from server.gateway.parameters import warnings
from server.jobs.buying import Order
from server.jobs.events import Notice
from server.jobs.model import AssetRole, InputRef, JobState, ProcessSpec, PurchaseKind, Stage
from server.jobs.outlasting import outlast
from server.jobs.receipts import receipt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from asset_processing import ProcessingOptions, Report
    from server.gateway.models import Model
    from server.jobs.admission import Admission
    from server.jobs.buying import Buyer
    from server.jobs.library import AssetLibrary
    from server.jobs.model import Asset, GenerateSpec, Spec
    from server.jobs.run import JobRun
    from server.jobs.workshop import Workshop

__all__ = ["Phase", "Steps"]

_SANDBOX_NOTICE = (
    "This is a result of the built-in sandbox, made without a model and without cost. "
    "Set a provider's key to buy real generations."
)


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a job's way that is done as a whole or done again."""

    name: str  # Kept by the engine: it tells what was done before a restart.
    work: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Everything a job needs on its way."""

    admission: Admission
    buyer: Buyer
    library: AssetLibrary
    workshop: Workshop

    def plan(self, spec: Spec) -> tuple[Stage, ...]:
        """Return the stages that a job will go through."""
        if isinstance(spec, ProcessSpec):
            return (Stage.PROCESS, Stage.STORE)
        model = self.admission.model(spec.model)
        first = (Stage.IMAGE,) if spec.image_stage is not None else ()
        submit = () if model.protocol.answers_at_once else (Stage.SUBMIT,)
        is_mesh = model.task is ModelTask.IMAGE_TO_3D
        last = (Stage.PROCESS, Stage.STORE) if is_mesh else ()
        return (*first, Stage.PREPARE, *submit, Stage.GENERATE, Stage.DOWNLOAD, *last)

    def phases(self, run: JobRun) -> tuple[Phase, ...]:
        """Return what is done with a job, in order: the same for every run of it.

        Each phase leaves what it did in the job's rows and in the store of bytes, so that the next
        may run on another node, and doing one again does nothing twice that costs money.
        """
        spec = run.job.spec
        if isinstance(spec, ProcessSpec):
            return (Phase("process", lambda: self._process_asset(run, spec)),)
        model = self.admission.model(spec.model)
        order = self._order(run, spec, model)
        phases = [Phase("begin", lambda: self._begin(run, spec, model))]
        if spec.image_stage is not None:
            picture = self._picture_order(spec)
            phases += [
                Phase("image_submit", lambda: self._begin_picture(run, picture)),
                Phase("image_wait", lambda: self.buyer.wait(run, picture)),
                Phase("image_collect", lambda: self._collect_picture(run, picture)),
            ]
        phases += [
            Phase("submit", lambda: self.buyer.submit(run, order())),
            Phase("wait", lambda: self.buyer.wait(run, order())),
            Phase("download", lambda: self.buyer.collect(run, order())),
        ]
        if model.task is ModelTask.IMAGE_TO_3D:
            phases.append(Phase("process", lambda: self._process_source(run, spec, model)))
        return tuple(phases)

    async def _begin(self, run: JobRun, spec: GenerateSpec, model: Model) -> None:
        if run.resumed:
            return
        if run.job.sandbox:
            await run.record(Notice(code="SANDBOX_RESULT", message=_SANDBOX_NOTICE))
        for message in warnings(model, spec.parameters):
            await run.record(Notice(code="PARAMETER_UNLISTED", message=message))

    def _order(self, run: JobRun, spec: GenerateSpec, model: Model) -> Callable[[], Order]:
        """Return the order for what the job is for, once its inputs are there."""

        def order() -> Order:
            inputs = spec.inputs
            if spec.image_stage is not None:
                picture = run.collected(PurchaseKind.IMAGE)[0]
                inputs = (*inputs, InputRef(role=InputRole.SOURCE, asset_id=picture.id))
            return Order(
                kind=PurchaseKind.RESULT,
                model=model,
                # With an image stage the prompt is the picture's, not the 3D model's.
                prompt=spec.prompt if spec.image_stage is None else None,
                inputs=inputs,
                parameters=spec.parameters,
                quote=self.admission.quote(model, spec.parameters),
            )

        return order

    def _picture_order(self, spec: GenerateSpec) -> Order:
        """Return the order for the image stage's picture."""
        stage = spec.image_stage
        if stage is None:
            raise TypeError
        model = self.admission.model(stage.model)
        return Order(
            kind=PurchaseKind.IMAGE,
            model=model,
            prompt=spec.prompt,
            inputs=(),
            parameters=stage.parameters,
            quote=self.admission.quote(model, stage.parameters),
        )

    async def _begin_picture(self, run: JobRun, picture: Order) -> None:
        if not run.collected(PurchaseKind.IMAGE):
            await run.begin_stage(Stage.IMAGE, JobState.PREPARING)
            await self.buyer.submit(run, picture)

    async def _collect_picture(self, run: JobRun, picture: Order) -> None:
        await self.buyer.collect(run, picture)
        await run.end_stage(Stage.IMAGE)

    async def _process_asset(self, run: JobRun, spec: ProcessSpec) -> None:
        if run.job.sandbox and not run.resumed:
            await run.record(Notice(code="SANDBOX_RESULT", message=_SANDBOX_NOTICE))
        await self._process(run, await self.library.get(spec.asset_id), spec.processing)

    async def _process_source(self, run: JobRun, spec: GenerateSpec, model: Model) -> None:
        options = _options(model, spec)
        if options.provenance is not None:
            options = replace(options, provenance=_provenance(run, model, spec))
        await self._process(run, run.collected(PurchaseKind.RESULT)[0], options)

    async def _process(self, run: JobRun, source: Asset, options: ProcessingOptions) -> None:
        """Post-process in a worker, then store what it made. Nothing here costs money."""
        with self.library.blobs.scratch() as folder:
            async with run.stage(Stage.PROCESS, JobState.PROCESSING):
                make = partial(self._make, source, folder, options)
                report = await outlast(run, make, within_s=self.buyer.job_deadline_s)
            run.check_cancel()
            async with run.stage(Stage.STORE, JobState.PROCESSING):
                for role, file in _results(folder, report):
                    name = file.relative_to(folder).as_posix()
                    store = partial(self._store, run, role, file, name)
                    await outlast(run, store, within_s=self.buyer.job_deadline_s)
        await run.keep_report(report)

    async def _make(self, source: Asset, folder: Path, options: ProcessingOptions) -> Report:
        async with self.library.local_copy(source) as path:
            return await self.workshop.process(path, folder, options)

    async def _store(self, run: JobRun, role: AssetRole, file: Path, name: str) -> None:
        if any(asset.name == name for asset in run.job.assets):
            return  # Stored before a restart; processing is deterministic.
        blob = await self.library.blobs.put_file(file)
        asset = await self.library.describe(
            blob, role=role, name=name, job_id=run.job.id, sandbox=run.job.sandbox
        )
        await run.add_asset(asset)


def _options(model: Model, spec: GenerateSpec) -> ProcessingOptions:
    """Return the options, with what the generator was asked for as one more thing to check."""
    target = model.with_defaults(spec.parameters).get("decimation_target")
    if not isinstance(target, int) or spec.processing.decimation_target is not None:
        return spec.processing
    return replace(spec.processing, decimation_target=target)


def _provenance(run: JobRun, model: Model, spec: GenerateSpec) -> Provenance:
    """Return where a result comes from, as far as it is known."""
    seed = model.with_defaults(spec.parameters).get("seed")
    amount = receipt(run.job, cancelled=False).amount
    note = (
        "Made by the sandbox, which stands in for the model."
        if run.job.sandbox
        else "The model's licence and the provider's terms apply."
    )
    return Provenance(
        model=spec.model,
        seed=seed if isinstance(seed, int) else None,
        prompt_sha256=None if spec.prompt is None else sha256(spec.prompt.encode()).hexdigest(),
        license_note=note,
        cost_micros=None if amount is None else amount.amount_micros,
        currency_code=None if amount is None else amount.currency_code,
    )


def _results(folder: Path, report: Report) -> list[tuple[AssetRole, Path]]:
    """Return what a worker left, the model first."""
    textures = sorted((folder / "textures").glob("*"))
    return [
        (AssetRole.MODEL, folder / "asset.glb"),
        *((AssetRole.TEXTURE, file) for file in textures),
        *((AssetRole[output.kind.name], folder / output.name) for output in report.outputs),
        (AssetRole.REPORT, folder / "report.json"),
    ]
