"""Names for the kinds of array that travel between the mesh functions."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Colours", "Field", "Indices", "Mask", "Points", "Sparse"]

Field: TypeAlias = NDArray[np.float64]
"""(height, width): one number per pixel; row 0 is the top."""

Colours: TypeAlias = NDArray[np.float64]
"""(height, width, 3): sRGB in 0..1."""

Mask: TypeAlias = NDArray[np.bool_]
"""A boolean for each pixel or each vertex."""

Points: TypeAlias = NDArray[np.float64]
"""(n, 2) as x right, y down, in pixels, pixel centres on whole numbers; or (n, 3) in space."""

Indices: TypeAlias = NDArray[np.int64]
"""(n, 3): triangles by vertex number; or (n, 2): edges."""

Sparse: TypeAlias = Any
"""A scipy sparse array; scipy ships no types."""
