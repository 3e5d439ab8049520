"""From a picture to a closed, textured mesh, as GLB bytes. No network, no server."""

from server.sandbox.errors import PictureError
from server.sandbox.mesh.make import GENERATOR_NOTE, MeshStats, make_mesh
from server.sandbox.mesh.options import DecodeLimits, MeshOptions

__all__ = [
    "GENERATOR_NOTE",
    "DecodeLimits",
    "MeshOptions",
    "MeshStats",
    "PictureError",
    "make_mesh",
]
