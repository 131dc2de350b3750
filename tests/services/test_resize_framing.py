"""Framing: who is shown, how much of her, and the way back to the photo."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.paste_back.engines.blend.engine import Engine as Blend
from stagekit.errors import NoPerson, TurnedPhoto
from stagekit.formats import HEIGHT, WIDTH
from stagekit.images import Limits, open_image, to_rgb

pytest.importorskip("mediapipe", reason="mediapipe is not installed")

from services.resize.engines.framing.crop import choose_box, cut_out
from services.resize.engines.framing.engine import Engine, frame
from services.resize.engines.framing.extent import Extent

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder"
)
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


@pytest.mark.parametrize("quarters, told", [(1, "to the right"), (2, "upside down"), (3, "to the left")])
def test_a_photo_on_its_side_or_its_head_says_which_way_to_turn_it(engine, quarters, told):
    turned = np.ascontiguousarray(np.rot90(read(PORTRAIT), quarters))  # against the clock
    with pytest.raises(TurnedPhoto, match=told):
        run(engine, turned)


@pytest.mark.parametrize("degrees", [-40, 40])
def test_a_slanting_photo_is_taken(engine, degrees):
    slanting = Image.fromarray(read(PORTRAIT)).rotate(degrees, Image.Resampling.BILINEAR, fillcolor=(128, 128, 128))
    run(engine, np.array(slanting))


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


def test_the_head_stays_in_a_tall_photo_of_somebody_cut_off_below():
    # a phone's photo, 9:16: the part that fits without padding is shorter than from head to knees
    somebody = Extent(whole=(200, 150, 900, 1920), vital=(220, 150, 880, 1700))
    _, y0, _, y1 = choose_box(somebody, 1080, 1920)
    assert y0 <= 150 and y1 >= 1700


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


def coordinates(width, height):
    """A photo whose red and green say where a pixel lies: x and y of its middle, as shares of the photo, times 240."""
    photo = np.zeros((height, width, 3), dtype=np.uint8)
    photo[..., 0] = np.round((np.arange(width) + 0.5) / width * 240)
    photo[..., 1] = np.round((np.arange(height) + 0.5) / height * 240)[:, None]
    return photo


extents = st.tuples(*[st.floats(0, 1)] * 8)
sizes = st.tuples(st.integers(64, 2000), st.integers(64, 2000))


def extent_in(shares, size):
    """An Extent within a photo: the vital part lies within the whole."""
    scale = np.array(size * 2, float)
    x0, x1, y0, y1 = *sorted(shares[:2]), *sorted(shares[2:4])
    x0, y0 = min(x0, 0.95), min(y0, 0.95)
    whole = np.array([x0, y0, max(x1, x0 + 0.05), max(y1, y0 + 0.05)])
    inner = np.clip(np.sort(np.array(shares[4:]).reshape(2, 2), axis=0), 0, 1)
    vital = whole[[0, 1, 0, 1]] + inner.ravel() * (whole[[2, 3, 2, 3]] - whole[[0, 1, 0, 1]])
    return Extent(tuple(whole * scale), tuple(vital * scale))


@settings(max_examples=100, deadline=None)
@given(extents, sizes)
def test_any_box_is_whole_pixels_three_to_four_and_holds_what_is_vital(shares, size):
    somebody = extent_in(shares, size)
    x0, y0, x1, y1 = box = choose_box(somebody, *size)
    assert all(isinstance(edge, int) for edge in box)
    assert (x1 - x0) * 4 == (y1 - y0) * 3 > 0
    # whole pixels: what is vital may lie half a pixel outside
    assert x0 - 0.5 <= somebody.vital[0] and somebody.vital[2] <= x1 + 0.5
    assert y0 - 0.5 <= somebody.vital[1] and somebody.vital[3] <= y1 + 0.5


@settings(max_examples=8, deadline=None)
@given(extents, st.tuples(st.integers(100, 1000), st.integers(100, 1000)))
def test_the_frame_leads_back_to_the_pixel(shares, size):
    photo = coordinates(*size)
    box = choose_box(extent_in(shares, size), *size)
    person = cut_out(photo, box, np.zeros((16, 16), dtype=bool))
    way_back = frame(photo, box)
    x0, y0, x1, y1 = way_back["box"]
    for axis, start, end in ((0, x0, x1), (1, y0, y1)):
        # padding continues the picture, so a median over rows tells x, one over columns y
        told = np.median(person[..., axis], axis=axis) / 240 * size[axis]
        there = start + (np.arange(len(told)) + 0.5) / len(told) * (end - start)
        level = size[axis] / 240  # pixels of the photo per grey level
        seen = (there > 0.02 * size[axis]) & (there < 0.98 * size[axis])
        if not seen.any() or np.ptp(there[seen]) < 20 * level:
            continue
        error = (told - there)[seen]
        assert abs(error.mean()) < max(0.3, 0.2 * level), "shifted"
        assert abs(np.polyfit(there[seen], error, 1)[0]) < 0.02, "stretched"


PLACES = {  # height of the picture, size of the photo, left, top
    "far": (330, (1600, 1200), 900, 700),
    "near": (1500, (1200, 1400), 40, 0),
    "high": (500, (900, 1300), 260, 20),
    "low": (500, (900, 1300), 260, 800),
    "at the left edge": (600, (1500, 800), -60, 200),
    "at the right edge": (600, (1500, 800), 1120, 200),
}


@needs_samples
@pytest.mark.slow
@pytest.mark.parametrize("name", ["image/03615_00.jpg", "wild/model_1.png"])
@pytest.mark.parametrize("place", PLACES)
def test_finds_a_person_wherever_she_stands_and_paste_back_lands_on_the_pixel(engine, name, place):
    height, size, left, top = PLACES[place]
    picture = read(SAMPLES / name)
    photo = on_background(picture, height, size, left, top)
    person, way_back, _ = run(engine, photo)
    x0, y0, x1, y1 = way_back["box"]
    width = height * 3 // 4
    # her head begins within 3 % below the picture's top, and she stands around its middle
    assert y0 <= top + 0.04 * height and y1 >= min(top + 0.9 * height, size[1])
    assert x0 <= max(left + 0.35 * width, 0) and x1 >= min(left + 0.65 * width, size[0])
    # what is in the frame is where the frame says
    left, top, right, bottom = max(0, x0) + 4, max(0, y0) + 4, min(size[0], x1) - 4, min(size[1], y1) - 4
    inner = slice(round(top), round(bottom)), slice(round(left), round(right))
    canvas = Image.new("RGB", size)
    canvas.paste(Image.fromarray(person).resize((round(x1 - x0), round(y1 - y0))), (round(x0), round(y0)))
    assert mean_difference(np.array(canvas)[inner], photo[inner]) < 3
    # and a try-on that changes a patch changes the photo there, and nothing else
    tryon = person.copy()
    tryon[400:600, 300:460] = (255, 0, 255)
    changed = Blend().run(
        {"photo": photo, "frame": way_back, "person": person, "tryon": tryon}, lambda code, message: None
    )["tryon_photo"]
    rows, columns = np.nonzero((changed != photo).any(axis=2))
    scale = (x1 - x0) / WIDTH
    wanted = np.array([x0 + 300 * scale, x0 + 460 * scale, y0 + 400 * scale, y0 + 600 * scale])
    wanted = np.clip(wanted, 0, [size[0], size[0], size[1], size[1]])
    found = np.array([columns.min(), columns.max() + 1, rows.min(), rows.max() + 1])
    assert np.abs(found - wanted).max() <= 4 * max(1, scale) + 1


@needs_samples
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photo_turned_by_exif_is_framed_upright(engine, orientation):
    upright = Image.fromarray(on_background(read(SAMPLES / "image/03615_00.jpg"), 700, (800, 1000), 120, 250))
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    turned = upright.transpose(turns[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = io.BytesIO()
    turned.save(data, "JPEG", quality=97, exif=exif.tobytes())
    photo = to_rgb(open_image(data.getvalue(), Limits()))
    person, way_back, _ = run(engine, photo)
    expected, frame_upright, _ = run(engine, np.array(upright))
    assert way_back["photo_size"] == [800, 1000]
    assert np.abs(np.subtract(way_back["box"], frame_upright["box"])).max() <= 12
    assert mean_difference(person, expected) < 12
