"""What counts as the subject of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from server.sandbox.errors import PictureError
from server.sandbox.mesh.picture import Picture, decode_picture
from server.sandbox.mesh.subject import find_subject

if TYPE_CHECKING:
    from tests.sandbox.conftest import Draw


def subject_of(picture: bytes) -> np.ndarray:
    return find_subject(decode_picture(picture, max_pixels=10**7)) > 0.5


def agreement(found: np.ndarray, expected: np.ndarray) -> float:
    """Intersection over union."""
    return float((found & expected).sum() / (found | expected).sum())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("colour", "background"),
    [
        ((200, 40, 40), (240, 240, 240)),
        ((250, 250, 250), (235, 235, 238)),
        ((20, 20, 20), (50, 48, 46)),
    ],
)
def test_a_disc_is_found_on_a_plain_background(
    draw: type[Draw], kind: str, colour: tuple[int, ...], background: tuple[int, ...]
) -> None:
    """White on light grey and black on dark grey too: the tolerance follows the background."""
    away = draw.away_from(255.5, 255.5, size=512)
    coverage = np.clip(150.5 - away, 0, 1)
    picture = draw.on_background(coverage, colour=colour, background=background, kind=kind)
    assert agreement(subject_of(picture), coverage > 0.5) > 0.98


def test_a_studio_gradient_and_noise_are_background(draw: type[Draw]) -> None:
    rows, columns = np.mgrid[-1 : 1 : 512 * 1j, -1 : 1 : 512 * 1j]
    shade = 210 - 40 * (rows**2 + columns**2) + np.random.default_rng(3).normal(0, 2, (512, 512))
    expected = draw.away_from(255.5, 255.5, size=512) < 140
    pixels = np.where(expected[..., None], [30, 120, 60], shade[..., None])
    found = subject_of(draw.encoded(np.clip(pixels, 0, 255)))
    assert agreement(found, expected) > 0.97


def test_parts_of_the_subject_in_the_backgrounds_colour_stay(draw: type[Draw]) -> None:
    """A label nearly as grey as the background does not become a hole."""
    away = draw.away_from(255.5, 255.5, size=512)
    pixels = np.full((512, 512, 3), 186.0)
    pixels[away < 160] = [200, 60, 40]
    pixels[away < 60] = [192, 188, 184]
    assert agreement(subject_of(draw.encoded(pixels)), away < 160) > 0.98


def test_a_narrow_gap_does_not_let_the_background_in(draw: type[Draw]) -> None:
    away = draw.away_from(255.5, 255.5, size=512)
    pixels = np.full((512, 512, 3), 186.0)
    pixels[away < 160] = [200, 60, 40]
    pixels[away < 60] = [189, 186, 183]
    pixels[255:257, 255:] = 186.0  # Two pixels wide, from the middle to the border.
    assert subject_of(draw.encoded(pixels))[256, 230]


def test_specks_beside_the_subject_are_dropped(draw: type[Draw]) -> None:
    pixels = np.zeros((512, 512, 4))
    pixels[100:400, 100:400] = 255
    pixels[20:30, 20:30] = 255
    found = subject_of(draw.encoded(pixels))
    assert not found[:60, :60].any()
    assert found[250, 250]


def test_pinholes_are_filled_and_holes_are_not(draw: type[Draw]) -> None:
    pixels = np.full((512, 512, 4), 255.0)
    pixels[:40] = pixels[-40:] = 0
    pixels[200:206, 200:206] = 0
    pixels[300:360, 300:360] = 0
    found = subject_of(draw.encoded(pixels))
    assert found[203, 203]
    assert not found[330, 330]


def test_an_opaque_alpha_channel_is_not_believed(draw: type[Draw]) -> None:
    away = draw.away_from(255.5, 255.5, size=512)
    pixels = np.full((512, 512, 4), 255.0)
    pixels[away < 150, :3] = [10, 60, 160]
    assert agreement(subject_of(draw.encoded(pixels)), away < 150) > 0.98


@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_picture_has_no_subject(draw: type[Draw], level: int) -> None:
    with pytest.raises(PictureError, match="No subject"):
        subject_of(draw.encoded(np.full((256, 256, 3), level)))


def test_an_invisible_picture_has_no_subject(draw: type[Draw]) -> None:
    with pytest.raises(PictureError, match="No subject"):
        subject_of(draw.encoded(np.zeros((256, 256, 4))))


def test_a_busy_picture_becomes_a_slab_of_the_whole_frame() -> None:
    """Nothing tells subject from background here; the frame itself is the honest subject."""
    noise = np.random.default_rng(1).uniform(0, 1, (300, 500, 3))
    found = find_subject(Picture(colours=noise, alpha=None)) > 0.5
    assert found.mean() > 0.95
    assert not found[0, 0]
