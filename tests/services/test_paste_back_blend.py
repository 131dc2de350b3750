"""The result in the shopper's own photo: nothing but the edited region may differ."""

import numpy as np
import pytest

from services.paste_back.engines.blend.engine import Engine, edited_region
from stagekit.errors import WrongKind

RNG = np.random.default_rng(0)
PERSON = RNG.integers(0, 256, (1024, 768, 3)).astype(np.uint8)
GARMENT = (slice(300, 700), slice(200, 560))


def dressed() -> np.ndarray:
    tryon = PERSON.copy()
    tryon[GARMENT] = (200, 30, 40)
    return tryon


def run(photo, box, tryon=None, person=PERSON):
    warnings = []
    frame = {"photo_size": [photo.shape[1], photo.shape[0]], "box": box, "person_size": [768, 1024]}
    inputs = {"photo": photo, "frame": frame, "person": person, "tryon": dressed() if tryon is None else tryon}
    before = {name: value.copy() for name, value in inputs.items() if isinstance(value, np.ndarray)}
    output = Engine().run(inputs, lambda code, _: warnings.append(code))["tryon_photo"]
    assert all(np.array_equal(inputs[name], value) for name, value in before.items())
    return output, warnings


def test_where_the_frame_is_the_photo_the_result_is_the_tryon():
    output, warnings = run(PERSON, [0, 0, 768, 1024])
    assert np.array_equal(output[310:690, 210:550], dressed()[310:690, 210:550])
    outside = np.ones((1024, 768), bool)
    outside[296:704, 196:564] = False
    assert np.array_equal(output[outside], PERSON[outside]) and warnings == []


@pytest.mark.parametrize("scale", [0.5, 0.8, 2.0, 3.3])
def test_photos_of_other_sizes_change_only_in_the_region(scale):
    left, top = 101.5, 37.25
    photo = RNG.integers(0, 256, (int(1024 * scale) + 200, int(768 * scale) + 300, 3)).astype(np.uint8)
    output, warnings = run(photo, [left, top, left + 768 * scale, top + 1024 * scale])
    rows = slice(int(top + 310 * scale) + 2, int(top + 690 * scale) - 2)
    columns = slice(int(left + 210 * scale) + 2, int(left + 550 * scale) - 2)
    assert np.abs(output[rows, columns].astype(int) - (200, 30, 40)).max() <= 1, "the garment is in its place"
    outside = np.ones(photo.shape[:2], bool)
    outside[
        int(top + 295 * scale) - 3 : int(top + 705 * scale) + 3,
        int(left + 195 * scale) - 3 : int(left + 565 * scale) + 3,
    ] = 0
    assert np.array_equal(output[outside], photo[outside])
    assert ("result-enlarged" in warnings) == (scale > 1.5)


def test_a_frame_that_reaches_over_the_photo():
    photo = RNG.integers(0, 256, (600, 500, 3)).astype(np.uint8)
    output, _ = run(photo, [-134, -200, 634, 824])
    assert np.array_equal(output[150:480, 120:400], np.broadcast_to(np.uint8([200, 30, 40]), (330, 280, 3)))
    assert np.array_equal(output[:90], photo[:90])


@pytest.mark.parametrize(
    "box", [[-900000, -900000, -899700, -899600], [0, 0, 1, 1.2], [0, 0, 999999, 999999], [0, 0, 500, 900]]
)
def test_a_frame_of_any_place_and_size_pastes_what_falls_into_the_photo(box):
    photo = RNG.integers(0, 256, (300, 200, 3)).astype(np.uint8)
    assert run(photo, box)[0].shape == photo.shape


def test_the_frame_of_another_photo_is_refused():
    photo = RNG.integers(0, 256, (300, 200, 3)).astype(np.uint8)
    frame = {"photo_size": [300, 200], "box": [0, 0, 150, 200], "person_size": [768, 1024]}
    with pytest.raises(WrongKind, match="300 x 200 pixels, but 'photo' has 200 x 300"):
        Engine().run({"photo": photo, "frame": frame, "person": PERSON, "tryon": dressed()}, lambda code, detail: None)


def test_nothing_changed_nothing_pasted():
    photo = RNG.integers(0, 256, (900, 700, 3)).astype(np.uint8)
    output, _ = run(photo, [0, 0, 700, 933], tryon=PERSON)
    assert np.array_equal(output, photo)


def test_noise_of_a_generator_is_no_change():
    noisy = np.clip(PERSON.astype(int) + RNG.integers(-8, 9, PERSON.shape), 0, 255).astype(np.uint8)
    assert edited_region(PERSON, noisy).max() == 0
