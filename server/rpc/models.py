"""ModelService: the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetwright.v1 import model_pb2
from assetwright.v1 import model_service_pb2 as pb
from assetwright.v1 import model_service_pb2_grpc as pb_grpc
from server.errors import InvalidRequest, Violation
from server.gateway.models import ModelTask
from server.rpc import requests
from server.rpc.enums import from_wire, wrong_choice
from server.rpc.replies import model_message

if TYPE_CHECKING:
    import grpc

    from server.gateway.models import Catalog, Model
    from server.gateway.providers import Gateways
    from server.jobs.admission import Admission
    from server.jobs.port import Jobs

    Context = grpc.aio.ServicerContext[Any, Any]

__all__ = ["ModelServicer"]


class ModelServicer(pb_grpc.ModelServiceServicer):
    """Translates calls for the catalog."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        gateways: Gateways,
        admission: Admission,
        jobs: Jobs,
        sandbox: bool,
    ) -> None:
        self._catalog = catalog
        self._gateways = gateways
        self._admission = admission
        self._jobs = jobs
        self._sandbox = sandbox

    async def ListModels(  # noqa: N802 - the contract's name
        self, request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        """See the contract. The page token is the last id of the page before."""
        del context
        size = requests.page_size(request.page_size)
        if request.page_token and self._catalog.get(request.page_token) is None:
            problem = Violation("page_token", "It is not one that this call returned.")
            raise InvalidRequest(problem)
        tasks = _tasks(request)
        found = [
            model
            for model in self._catalog
            if model.id > request.page_token and (not tasks or model.task in tasks)
        ]
        models = [await self._message(model) for model in found[:size]]
        more = found[size - 1].id if len(found) > size else ""
        return pb.ListModelsResponse(models=models, next_page_token=more)

    async def GetModel(  # noqa: N802 - the contract's name
        self, request: pb.GetModelRequest, context: Context
    ) -> pb.GetModelResponse:
        """See the contract."""
        del context
        model = self._admission.model(request.model_id)
        return pb.GetModelResponse(model=await self._message(model))

    async def _message(self, model: Model) -> model_pb2.Model:
        return model_message(
            model,
            why_not_ready=self._gateways.why_not_ready(model),
            estimate=await self._jobs.estimate(model.id),
            sandbox=self._sandbox,
        )


def _tasks(request: pb.ListModelsRequest) -> list[ModelTask]:
    tasks = [from_wire(ModelTask, value) for value in request.tasks]
    problems = [
        wrong_choice(ModelTask, f"tasks[{position}]")
        for position, task in enumerate(tasks)
        if task is None
    ]
    if problems:
        raise InvalidRequest(*problems)
    return [task for task in tasks if task is not None]
