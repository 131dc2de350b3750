"""Framing: who is shown, how much of her, and the way back to the photo."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stagekit.errors import NoPerson
from stagekit.formats import HEIGHT, WIDTH

pytest.importorskip("mediapipe", reason="mediapipe is not installed")

from services.resize.engines.framing.crop import choose_box, cut_out
from services.resize.engines.framing.engine import Engine
from services.resize.engines.framing.extent import Extent

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no sample photographs at {SAMPLES}")
PORTRAIT = ROOT / "howsfit" / "samples" / "person.jpg"


@pytest.fixture(scope="module")
def engine():
    engine = Engine()
    engine.load()
    return engine


def read(path):
    return np.array(Image.open(path).convert("RGB"))


def run(engine, photo):
    warnings = []
    before = photo.copy()
    outputs = engine.run({"photo": photo}, lambda code, message: warnings.append(code))
    assert np.array_equal(photo, before), "the input was changed"
    assert outputs["person"].shape == (HEIGHT, WIDTH, 3) and outputs["person"].dtype == np.uint8
    return outputs["person"], outputs["frame"], warnings


def on_background(picture, height, size, left, top):
    """A photo of `size` (width, height) with a picture in it, scaled to `height`."""
    photo = Image.new("RGB", size, tuple(int(v) for v in picture[5, 5]))
    small = Image.fromarray(picture).resize((height * picture.shape[1] // picture.shape[0], height))
    photo.paste(small, (left, top))
    return np.array(photo)


def mean_difference(one, other):
    return np.abs(one.astype(int) - other.astype(int)).mean()


@needs_samples
def test_data_set_pictures_pass_through_as_they_are(engine):
    for name in ("00891_00", "10549_00"):
        photo = read(SAMPLES / f"image/{name}.jpg")
        person, frame, warnings = run(engine, photo)
        assert np.array_equal(person, photo) and person is not photo
        assert frame == {"photo_size": [768, 1024], "box": [0.0, 0.0, 768.0, 1024.0], "person_size": [768, 1024]}
        assert warnings == []


@needs_samples
def test_finds_a_small_person_in_a_landscape_photo(engine):
    picture = read(SAMPLES / "wild/model_5.png")
    photo = on_background(picture, 330, (1600, 900), 1000, 570)
    _, frame, _ = run(engine, photo)
    x0, y0, x1, y1 = frame["box"]
    assert 980 < x0 < 1080 and 1170 < x1 < 1270 and y1 == 900 and 540 < y0 < 610
    assert (x1 - x0) * 4 == (y1 - y0) * 3


@needs_samples
def test_shows_a_person_from_head_to_feet(engine):
    photo = on_background(read(SAMPLES / "wild/049447_0.jpg"), 900, (1400, 1000), 500, 60)
    _, frame, _ = run(engine, photo)
    _, y0, _, y1 = frame["box"]
    assert y0 <= 60 + 4 and y1 >= 60 + 900 * 0.945  # her hair begins at the picture's top, her shoes end at 94 %


@needs_samples
def test_takes_the_largest_of_two_and_says_so(engine):
    left, right = read(SAMPLES / "wild/00034_00.jpg"), read(SAMPLES / "image/10549_00.jpg")
    photo = np.hstack([np.array(Image.fromarray(left).resize((576, 768))), right[256:]])
    _, frame, warnings = run(engine, photo)
    assert "several-people" in warnings
    assert frame["box"][0] > 450


@needs_samples
def test_warns_when_the_person_had_to_be_enlarged(engine):
    small = np.array(Image.fromarray(read(SAMPLES / "image/03615_00.jpg")).resize((120, 160), Image.Resampling.BOX))
    _, _, warnings = run(engine, small)
    assert warnings == ["low-resolution"]


@needs_samples
def test_refuses_somebody_too_small_to_dress(engine):
    tiny = np.array(Image.fromarray(read(SAMPLES / "image/03615_00.jpg")).resize((48, 64), Image.Resampling.BOX))
    photo = np.pad(tiny, ((20, 0), (20, 20), (0, 0)), mode="edge")
    with pytest.raises(NoPerson, match="too small"):
        engine.run({"photo": photo}, lambda code, message: None)


def test_portrait_is_cropped_without_padding_and_keeps_the_head(engine):
    photo = read(PORTRAIT)
    person, frame, warnings = run(engine, photo)
    x0, y0, x1, y1 = frame["box"]
    assert min(x0, y0) >= 0 and max(x1, y1) <= 512 and y1 == 512
    assert x0 < 150 and x1 > 300 and y0 < 20, "the head lies between x 150 and 300 and begins at y 25"
    assert warnings == []
    # The frame leads back to the photo.
    scale = (x1 - x0) / WIDTH
    back = Image.fromarray(person).resize((round(WIDTH * scale), round(HEIGHT * scale)), Image.Resampling.BOX)
    assert mean_difference(np.array(back), photo[round(y0) : round(y1), round(x0) : round(x1)]) < 4


def test_landscape_without_anybody_is_refused_with_advice(engine):
    sky = np.linspace(120, 250, 600).astype(np.uint8)[:, None, None] * np.ones((1, 900, 3), dtype=np.uint8)
    with pytest.raises(NoPerson, match="Use a photo of one person"):
        engine.run({"photo": sky}, lambda code, message: None)


def test_same_photo_same_bytes(engine):
    photo = read(PORTRAIT)
    assert np.array_equal(run(engine, photo)[0], run(engine, photo)[0])


@pytest.mark.parametrize(
    ("whole", "vital", "size"),
    [
        ((100, 50, 300, 700), (120, 60, 280, 690), (400, 720)),  # full figure in a narrow photo: padded at the sides
        ((0, 30, 512, 512), (60, 30, 400, 512), (512, 512)),  # portrait cut off at the bottom
        ((900, 400, 1000, 700), (910, 400, 990, 700), (2000, 900)),  # small in a wide photo
        ((0, 10, 800, 590), (20, 10, 780, 590), (800, 600)),  # arms spread out: padded above
    ],
)
def test_box_is_three_to_four_and_holds_what_is_vital(whole, vital, size):
    x0, y0, x1, y1 = choose_box(Extent(whole, vital), *size)
    assert (x1 - x0) * 4 == (y1 - y0) * 3
    assert x0 <= vital[0] and y0 <= vital[1] and x1 >= vital[2] and y1 >= vital[3]
    if whole[3] == size[1]:
        assert y1 == size[1], "nothing is put below somebody who is cut off"


def test_padding_continues_the_background_without_streaks_or_the_person():
    photo = np.zeros((400, 200, 3), dtype=np.uint8)
    photo[:] = np.linspace(180, 220, 400).astype(np.uint8)[:, None, None]
    photo[:, ::2] += 6  # fine texture that would smear into streaks
    photo[150:300, :60] = (200, 20, 20)  # an arm that leaves the photo on the left
    inside = np.zeros((400, 200), dtype=bool)
    inside[150:300, :60] = True
    person = cut_out(photo, (-50, 0, 250, 400), inside).astype(int)
    left, right = person[:, :120], person[:, -120:]
    assert np.ptp(left[..., 0] - left[..., 1]) <= 6, "the arm's red goes on into the padding"
    assert np.abs(np.diff(left[..., 0], axis=0)).max() <= 3 and np.abs(np.diff(right[..., 0], axis=0)).max() <= 3
    assert abs(left[20].mean() - 182) < 8 and abs(left[-20].mean() - 220) < 8
