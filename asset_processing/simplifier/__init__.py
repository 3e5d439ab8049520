"""Fewer triangles for the same surface, with seams kept; arrays in, arrays out.

The work is done by ``simplify.c``, our own, compiled to WebAssembly (``simplify.wasm``) and run by
wasmtime: no compiler at installation, the same bytes and the same results on every platform, and a
fault inside is an exception here.
"""

from asset_processing.simplifier.distance import farthest
from asset_processing.simplifier.mesh import Attribute, Simplified, Simplifier, Yielding

__all__ = ["Attribute", "Simplified", "Simplifier", "Yielding", "farthest"]
