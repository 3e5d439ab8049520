"""How much a file may ask for before it is refused with `GlbTooLarge`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT", "Limits"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Ceilings that hold before anything is allocated for the thing they count.

    The defaults leave an order of magnitude above what generators deliver (400,000 triangles,
    4096x4096 textures, 35 MB) and stay below what was measured to hurt: trimesh needs 7 s for a
    chain of 500 nodes, and a 25 kB file can declare 24 GB of vertices.

    Attributes:
        max_file_bytes: Size of the whole GLB.
        max_json_bytes: Size of its JSON chunk.
        max_json_depth: Nesting of arrays and objects in the JSON.
        max_entries: Entries in each top-level array but nodes (accessors, materials, images...).
        max_nodes: Nodes.
        max_node_depth: Nodes on the longest path from a root to a leaf.
        max_joints: Joints of all skins.
        max_primitives: Primitives over all meshes.
        max_accessor_bytes: Bytes of all accessors once decoded, however they share buffer views.
        max_implicit_bytes: Bytes of the accessors that no buffer view backs.
        max_draws: Primitives of the default scene, each counted once for every node that draws it.
        max_instances: Meshes that the default scene draws, each instance counted.
        max_drawn_vertices: Vertices and indices of the default scene, each mesh counted once for
            every node and instance that draws it; morph targets and joints count like vertices.
        max_image_pixels: Width x height of one image, as its header says.
        max_total_pixels: Pixels of all images together.
        max_total_image_bytes: Encoded bytes of all images, however they share buffer views.
        max_data_uri_bytes: Bytes of all ``data:`` URIs once decoded.
    """

    max_file_bytes: int = 512 * _MIB
    max_json_bytes: int = 8 * _MIB
    max_json_depth: int = 64
    max_entries: int = 20_000
    max_nodes: int = 10_000
    max_node_depth: int = 128
    max_joints: int = 100_000
    max_primitives: int = 20_000
    max_accessor_bytes: int = 1024 * _MIB
    max_implicit_bytes: int = 256 * _MIB
    max_draws: int = 50_000
    max_instances: int = 500_000
    max_drawn_vertices: int = 30_000_000
    max_image_pixels: int = 8192 * 8192
    max_total_pixels: int = 8 * 8192 * 8192
    max_total_image_bytes: int = 512 * _MIB
    max_data_uri_bytes: int = 64 * _MIB


DEFAULT = Limits()
