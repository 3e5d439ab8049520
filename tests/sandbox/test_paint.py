"""What is drawn and changed: the same every time, in the size asked, where it was asked."""

from __future__ import annotations

import colorsys
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from server.sandbox.errors import PictureError
from server.sandbox.mesh.picture import decode_picture
from server.sandbox.mesh.subject import find_subject
from server.sandbox.paint import PictureFormat, draw, edit, encode, fill, open_picture, restore
from server.sandbox.paint.look import read_prompt
from server.sandbox.paint.makes import RECIPES

SMALL = (160, 160)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"), dtype=float)


def png(image: Image.Image) -> bytes:
    return encode(image, PictureFormat.PNG, quality=90, note="A note.")


def test_the_same_words_seed_and_size_give_the_same_bytes() -> None:
    first, again = (png(draw("a red mushroom", seed=3, size=SMALL)) for _ in range(2))
    assert first == again
    assert first != png(draw("a red mushroom", seed=4, size=SMALL))
    assert first != png(draw("a red mushroom house", seed=3, size=SMALL))


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (512, 64), (96, 128)])
def test_any_size_is_drawn(size: tuple[int, int]) -> None:
    assert draw("a barrel", seed=0, size=size).size == size


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_each_object_is_one_clear_subject_for_the_mesh_stage(name: str) -> None:
    """Strongly compressed, as models answer, it is still told from its background."""
    look = {"figurine": "something nobody has a word for", "figure": "a knight"}
    prompt = look.get(name, f"a {name}")
    assert read_prompt(prompt).name == name
    data = encode(draw(prompt, seed=1, size=(256, 256)), PictureFormat.JPEG, quality=85, note="")
    found = find_subject(decode_picture(data, max_pixels=10**6)) > 0.5
    assert 0.02 < found.mean() < 0.75
    assert not found[[0, -1]].any()
    assert not found[:, [0, -1]].any()


@pytest.mark.parametrize(
    ("word", "hue"), [("red", 0.0), ("green", 1 / 3), ("blue", 0.62), ("purple", 0.77)]
)
def test_colour_words_are_honoured(word: str, hue: float) -> None:
    middle = pixels(draw(f"a {word} potion", seed=1, size=SMALL))[90:130, 60:100].mean(axis=(0, 1))
    away = abs(colorsys.rgb_to_hsv(*middle / 255)[0] - hue)
    assert min(away, 1 - away) < 0.06


def test_a_background_word_colours_the_background_and_not_the_object() -> None:
    corner = pixels(draw("a white cup on a black background", seed=1, size=SMALL))[0, 0]
    assert corner.max() < 60


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("A stone house, mossy", "house"),
        ("treasure chest", "chest"),
        ("a pine tree", "pine"),
        ("knight with a sword", "figure"),
        ("", "figurine"),
        ("\ud800", "figurine"),
    ],
)
def test_the_object_is_the_head_of_the_first_known_words(prompt: str, name: str) -> None:
    assert read_prompt(prompt).name == name
    draw(prompt, seed=0, size=(16, 16))


def test_an_edit_starts_from_its_input_and_strength_says_how_far_it_goes() -> None:
    source = draw("a wooden crate", seed=1, size=SMALL)
    before = pixels(source)
    changes = []
    for strength in (0.0, 0.4, 0.9):
        after = pixels(edit(source, "make it blue", strength=strength, seed=0, size=SMALL))
        changes.append(np.abs(after - before).mean())
        light = [one @ [0.299, 0.587, 0.114] for one in (before, after)]
        assert np.corrcoef(light[0].ravel(), light[1].ravel())[0, 1] > 0.95
    assert changes[0] < 0.01
    assert 1 < changes[1] < changes[2]
    assert after[80, 80, 2] > after[80, 80, 0]  # Blue now,
    assert np.abs(after - before)[:8].mean() < 2  # and only the crate.


def test_an_edit_takes_the_size_asked() -> None:
    source = draw("a crate", seed=1, size=SMALL)
    assert edit(source, "x", strength=0.5, seed=0, size=(64, 32)).size == (64, 32)


def test_an_edit_keeps_transparency() -> None:
    source = draw("a crate", seed=1, size=SMALL).convert("RGBA")
    source.putalpha(Image.linear_gradient("L").resize(SMALL))
    changed = edit(source, "blue", strength=0.5, seed=0, size=SMALL)
    assert changed.getchannel("A").tobytes() == source.getchannel("A").tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_no_pixel_outside_the_mask_changes(mode: str) -> None:
    source = draw("a red mushroom", seed=1, size=SMALL).convert(mode)
    mask = Image.new("L", SMALL)
    ImageDraw.Draw(mask).ellipse((60, 10, 150, 90), fill=255)
    filled = open_picture(
        png(fill(source, mask, "a lantern", seed=1, size=SMALL)), max_pixels=10**6
    )
    before, after = np.asarray(source), np.asarray(filled)
    white = np.asarray(mask) > 0
    assert np.array_equal(before[~white], after[~white])
    assert np.abs(before[white].astype(int) - after[white]).mean() > 10


def test_a_black_mask_changes_nothing() -> None:
    source = draw("a crate", seed=1, size=SMALL)
    filled = fill(source, Image.new("L", (9, 9)), "a lantern", seed=1, size=SMALL)
    assert filled.tobytes() == source.tobytes()


def test_restoration_brings_a_damaged_picture_nearer_to_what_it_was() -> None:
    original = pixels(draw("a treasure chest", seed=1, size=SMALL))
    damaged = original.copy()
    damaged[np.random.default_rng(1).uniform(size=SMALL) < 0.05] = 255
    restored = pixels(restore(Image.fromarray(damaged.astype(np.uint8))))
    ink = np.s_[40:120, 30:130]
    error = [np.median(np.abs(one - original)[ink] ** 2) for one in (damaged, restored)]
    specks = [
        (np.abs(one - original)[ink].max(axis=-1) > 120).mean() for one in (damaged, restored)
    ]
    assert specks[1] < specks[0] / 4
    assert error[1] < 40**2  # Stretching faded tones moves all of them a little.


@pytest.mark.parametrize("kind", list(PictureFormat))
def test_every_format_carries_the_note(kind: PictureFormat) -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 128))
    found = Image.open(io.BytesIO(encode(image, kind, quality=80, note="Sandbox.")))
    assert found.format == kind.value
    assert (found.info.get("Comment") or found.getexif()[0x010E]) == "Sandbox."


def test_a_gif_is_a_picture_here() -> None:
    """The page of image restoration names it; the mesh stage's page does not."""
    buffer = io.BytesIO()
    Image.new("P", (8, 8)).save(buffer, "GIF")
    assert open_picture(buffer.getvalue(), max_pixels=100).size == (8, 8)
    with pytest.raises(PictureError, match="8 x 8"):
        open_picture(buffer.getvalue(), max_pixels=63)
