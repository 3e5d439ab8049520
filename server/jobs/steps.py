"""What happens to a job: what it buys, and what is done with what comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from server.gateway.models import InputRole, ModelTask
from server.gateway.parameters import warnings
from server.jobs.buying import Order
from server.jobs.events import Notice
from server.jobs.model import AssetRole, InputRef, JobState, ProcessSpec, PurchaseKind, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from asset_processing import ProcessingOptions, Report
    from server.gateway.models import Model
    from server.jobs.admission import Admission
    from server.jobs.buying import Buyer
    from server.jobs.library import AssetLibrary
    from server.jobs.model import Asset, GenerateSpec, Spec
    from server.jobs.run import JobRun
    from server.jobs.workshop import Workshop

__all__ = ["Steps"]


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

    async def run(self, run: JobRun) -> Report | None:
        """Work on a job until its results are stored; return a mesh's measured report.

        Raises:
            AssetwrightError: Why it failed.
            CancelRequested: It was cancelled.
        """
        spec = run.job.spec
        if isinstance(spec, ProcessSpec):
            source = await self.library.get(spec.asset_id)
            return await self._process(run, source, spec.processing)
        model = self.admission.model(spec.model)
        if not run.resumed:
            for message in warnings(model, spec.parameters):
                await run.record(Notice(code="PARAMETER_UNLISTED", message=message))
        inputs = spec.inputs
        if spec.image_stage is not None:
            inputs = (*inputs, await self._picture(run, spec))
        order = Order(
            kind=PurchaseKind.RESULT,
            model=model,
            # With an image stage the prompt is the picture's, not the 3D model's.
            prompt=spec.prompt if spec.image_stage is None else None,
            inputs=inputs,
            parameters=spec.parameters,
            quote=self.admission.quote(model, spec.parameters),
        )
        results = await self.buyer.buy(run, order)
        run.check_cancel()
        if model.task is not ModelTask.IMAGE_TO_3D:
            return None
        return await self._process(run, results[0], _options(model, spec))

    async def _picture(self, run: JobRun, spec: GenerateSpec) -> InputRef:
        """Have the image stage's picture made, as the 3D model's input."""
        stage = spec.image_stage
        if stage is None:
            raise TypeError
        model = self.admission.model(stage.model)
        order = Order(
            kind=PurchaseKind.IMAGE,
            model=model,
            prompt=spec.prompt,
            inputs=(),
            parameters=stage.parameters,
            quote=self.admission.quote(model, stage.parameters),
        )
        if not run.collected(PurchaseKind.IMAGE):
            async with run.stage(Stage.IMAGE, JobState.PREPARING):
                await self.buyer.buy(run, order)
        run.check_cancel()
        picture = run.collected(PurchaseKind.IMAGE)[0]
        return InputRef(role=InputRole.SOURCE, asset_id=picture.id)

    async def _process(self, run: JobRun, source: Asset, options: ProcessingOptions) -> Report:
        """Post-process in a worker, then store what it made. Nothing here costs money."""
        with self.library.blobs.scratch() as folder:
            async with (
                run.stage(Stage.PROCESS, JobState.PROCESSING),
                self.library.local_copy(source) as path,
            ):
                report = await self.workshop.process(path, folder, options)
            run.check_cancel()
            async with run.stage(Stage.STORE, JobState.PROCESSING):
                for role, file in _results(folder):
                    await self._store(run, role, file, file.relative_to(folder).as_posix())
        return report

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


def _results(folder: Path) -> list[tuple[AssetRole, Path]]:
    """Return what a worker left, the model first."""
    textures = sorted((folder / "textures").glob("*"))
    return [
        (AssetRole.MODEL, folder / "asset.glb"),
        *((AssetRole.TEXTURE, file) for file in textures),
        (AssetRole.REPORT, folder / "report.json"),
    ]
