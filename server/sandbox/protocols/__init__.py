"""The four ways in which models are talked to, one class each."""

from types import MappingProxyType

from server.sandbox.models import Protocol
from server.sandbox.protocols.base import Endpoint, Surroundings
from server.sandbox.protocols.batch import BatchEndpoint
from server.sandbox.protocols.image import ImageEndpoint
from server.sandbox.protocols.queued import QueuedEndpoint, UniversalStatus
from server.sandbox.protocols.synchronous import SynchronousEndpoint

__all__ = ["ENDPOINTS", "Endpoint", "Surroundings", "UniversalStatus"]

ENDPOINTS: MappingProxyType[Protocol, type[Endpoint]] = MappingProxyType(
    {
        Protocol.QUEUED: QueuedEndpoint,
        Protocol.SYNCHRONOUS: SynchronousEndpoint,
        Protocol.BATCH: BatchEndpoint,
        Protocol.IMAGE: ImageEndpoint,
    }
)
"""Which class answers for which protocol."""
