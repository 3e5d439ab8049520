"""Fewer triangles for the same surface, with seams kept; arrays in, arrays out.

The work is done by ``native/simplify.c``.
"""

from asset_processing.simplifier.distance import farthest
from asset_processing.simplifier.mesh import Attribute, Simplified, Simplifier, Yielding

__all__ = ["Attribute", "Simplified", "Simplifier", "Yielding", "farthest"]
