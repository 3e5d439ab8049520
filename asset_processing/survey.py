"""A surface in the compiled module ``native/survey.c``, where its report is measured."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asset_processing.native import Instance

if TYPE_CHECKING:
    from asset_processing.accessors import Floats, Integers

__all__ = ["GRID", "Connections", "Survey", "TooManyPixels", "weld"]

GRID = 512
"""Samples along each side of a texture."""

_NONE: Integers = np.empty((0, 3), np.int64)
_MAX_TRIED = 1 << 25  # Samples of one texture: a fifth of a second.


class TooManyPixels(Exception):
    """The triangles cover more of a texture than is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """How triangles hang together once vertices at one place are one.

    Attributes:
        components: Parts that share no place with one another.
        degenerate_faces: Triangles without area.
        duplicate_faces: Triangles on the same three places as an earlier one.
        edges_of_one: Edges with one triangle.
        edges_of_two: Edges with two.
        edges_of_more: Edges with more.
        edges_unlike: Of those with two, the ones both triangles run along the same way.
        area: Of all triangles, in square metres.
        volume: Signed volume between the triangles and the origin, in cubic metres.
    """

    components: int
    degenerate_faces: int
    duplicate_faces: int
    edges_of_one: int
    edges_of_two: int
    edges_of_more: int
    edges_unlike: int
    area: float
    volume: float


class Survey:
    """Vertices and triangles to be measured.

    Args:
        points: Vertices in metres, shape (vertices, 3); taken as float32, which a place is told by.
        triangles: Indices of them, shape (triangles, 3); none to look at places alone.

    Raises:
        ValueError: A triangle names a vertex that does not exist.
    """

    def __init__(self, points: Floats, triangles: Integers = _NONE) -> None:
        if len(triangles) and (triangles.min() < 0 or triangles.max() >= len(points)):
            raise ValueError("A triangle names a vertex that does not exist.")
        self._vertices, self._noted = len(points), 0
        self._instance = Instance("survey")
        # What is measured does not depend on the seed; how long a hostile file takes does.
        self._instance.call("create", len(points), len(triangles), secrets.randbits(32))
        with np.errstate(over="ignore"):
            self._instance.array("points", points.shape, "<f4")[:] = points
        self._instance.array("triangles", triangles.shape, "<u4")[:] = triangles

    def weld(self) -> int:
        """Find out which vertices are at one place, and return how many places there are."""
        return self._instance.call("weld")

    def labels(self) -> Integers:
        """Return, after `weld`, the place of each vertex, shape (vertices,)."""
        return self._instance.array("labels", (self._vertices,), "<u4").astype(np.int64)

    def firsts(self, places: int) -> Integers:
        """Return, after `weld`, the first vertex at each place, shape (places,)."""
        return self._instance.array("firsts", (places,), "<u4").astype(np.int64)

    def connections(self) -> Connections:
        """Measure how the triangles hang together, after `weld`."""
        module = self._instance
        module.call("study_topology")
        return Connections(
            components=module.call("components"),
            degenerate_faces=module.call("degenerate_faces"),
            duplicate_faces=module.call("duplicate_faces"),
            edges_of_one=module.call("edges_of_one"),
            edges_of_two=module.call("edges_of_two"),
            edges_of_more=module.call("edges_of_more"),
            edges_unlike=module.call("edges_unlike"),
            area=module.measure("area"),
            volume=module.measure("volume"),
        )

    def place_on_texture(self, coordinates: Floats) -> None:
        """Say where each vertex lies on its texture, shape (vertices, 2)."""
        with np.errstate(over="ignore"):
            self._instance.array("coordinates", (self._vertices, 2), "<f4")[:] = coordinates

    def covered(self, triangles: list[tuple[int, int, int]]) -> tuple[Integers, int]:
        """Lay triangles on a texture; coordinates outside of 0 to 1 are wrapped once around.

        Args:
            triangles: Of each run of them the first, the end, and how often it counts.

        Returns:
            How often each sample is covered, shape (GRID, GRID), of a shared edge by one triangle
            alone; and how many triangles reach outside of 0 to 1.

        Raises:
            TooManyPixels: More samples would have to be tried than is allowed.
        """
        self._instance.call("begin_texture", _MAX_TRIED)
        for start, end, times in triangles:
            if not self._instance.call("cover", start, end, times):
                raise TooManyPixels
        self._instance.call("fold")
        grid = self._instance.array("grid", (GRID, GRID), "<u4").astype(np.int64)
        return grid, self._instance.call("reaching")

    def note_densities(self, start: int, end: int, *, pixels: int) -> None:
        """Note how many pixels of a texture lie along a metre of each of some triangles.

        Args:
            start: The first triangle.
            end: The one behind the last.
            pixels: Of the whole texture.
        """
        self._noted = self._instance.call("note_densities", start, end, float(pixels))

    def densities(self) -> tuple[Floats, Floats]:
        """Return what was noted, and the area of each triangle; those without area are left out."""
        if not self._noted:
            return np.empty(0), np.empty(0)
        found, areas = (
            self._instance.array(name, (self._noted,), "<f8").astype(np.float64)
            for name in ("densities", "areas")
        )
        return found, areas


def weld(points: Floats) -> tuple[Floats, Integers]:
    """Return the distinct places in the order they appear, and for each point which it is.

    Places are compared as float32, where -0 is 0.
    """
    survey = Survey(points)
    places = survey.weld()
    return points[survey.firsts(places)], survey.labels()
