"""What a caller may choose about a mesh, and what a picture may cost."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DecodeLimits", "MeshOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshOptions:
    """The parameters of the published page that change the sandbox's result.

    Attributes:
        decimation_target: Wanted count of position-unique vertices. Below `MIN_VERTICES` and above
            `MAX_VERTICES` of `server.sandbox.mesh.lattice` the nearest of the two is used.
        texture_size: Width and height of both textures, in pixels.
        mesh_scale: Length of the mesh's longest side.
        seed: Varies depth and roughness a little. `None` draws one.
    """

    decimation_target: int = 200_000
    texture_size: int = 2048
    mesh_scale: float = 1.0
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLimits:
    """How large a picture may be once decoded."""

    max_pixels: int = 40_000_000
