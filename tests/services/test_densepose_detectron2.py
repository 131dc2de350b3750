"""What the detectron2 engine does without Torch: choosing, painting, and reading its weight file.

The network itself runs in its container: tests/engines/test_detectron2.py.
"""

import os
import pickle
import re
from collections import OrderedDict

import cv2
import numpy as np
import pytest

from services.densepose.engines.detectron2.checkpoint import FILE, compare, read
from services.densepose.engines.detectron2.person import Found, choose, paint, part_map, surface_map
from services.densepose.engines.detectron2.settings import read_densepose_settings
from stagekit.errors import WeightsMissing
from stagekit.formats import DENSEPOSE_PALETTE
from tests.servers import ROOT

PUBLISHED = """
    1 (37,60,163) 2 (20,80,194) 3 (4,97,223) 4 (8,110,221) 5 (14,122,216) 6 (20,132,212) 7 (15,144,208) 8 (11,156,203)
    9 (6,166,198) 10 (22,173,185) 11 (38,179,172) 12 (55,185,159) 13 (86,187,144) 14 (114,189,130) 15 (145,191,116)
    16 (170,189,105) 17 (192,188,96) 18 (216,186,86) 19 (228,192,74) 20 (240,199,60) 21 (252,206,46) 22 (251,220,36)
    23 (250,235,25) 24 (249,251,14)"""
"""Part id and RGB of the data set's DensePose images."""


def found(parts, left=0, top=0, u=None):
    parts = np.asarray(parts)
    surface = np.zeros(parts.shape, np.float32) if u is None else np.asarray(u, np.float32)
    return Found(left, top, parts, lambda: surface, lambda: surface)


# -- painting ----------------------------------------------------------------------------------------------------------


def test_the_colours_are_the_published_ones():
    for row in re.findall(r"(\d+) \((\d+),(\d+),(\d+)\)", PUBLISHED):
        part, *rgb = map(int, row)
        assert DENSEPOSE_PALETTE[part] == tuple(rgb)
    assert len(DENSEPOSE_PALETTE) == 25 and DENSEPOSE_PALETTE[0] == (0, 0, 0)


def test_the_colours_are_opencvs_parula():
    """As DensePose's visualiser paints: PARULA of uint8(id * 255 / 24)."""
    values = np.array([[np.uint8(part * 255 / 24) for part in range(1, 25)]], np.uint8)
    parula = cv2.applyColorMap(values, cv2.COLORMAP_PARULA)[0, :, ::-1]
    assert np.array_equal(paint(np.arange(1, 25)), parula)


def test_a_person_is_painted_in_the_box_on_black():
    person = found([[0, 2], [9, 24], [0, 0]], left=100, top=300)
    parts = part_map(person)
    picture = paint(parts)
    assert picture.shape == (1024, 768, 3) and picture.dtype == np.uint8
    assert parts[300:303, 100:102].tolist() == [[0, 2], [9, 24], [0, 0]] and np.count_nonzero(parts) == 3
    assert tuple(picture[301, 100]) == (6, 166, 198) and np.count_nonzero(picture.any(axis=2)) == 3


def test_a_box_that_leaves_the_picture_is_cut_off():
    parts = part_map(found(np.full((5, 4), 7), left=766, top=1022))
    assert np.count_nonzero(parts) == 4 and (parts[1022:, 766:] == 7).all()


def test_places_on_the_surface_are_cut_off_at_0_and_1():
    person = found([[1, 1, 1, 1]], u=[[-0.5, 0.5, 1.0, 1.5]])
    assert surface_map(person, person.u())[0, :5].tolist() == [0, 127, 255, 255, 0]


def test_the_largest_person_is_chosen_then_the_best_scored():
    boxes = np.array([[0, 0, 10, 10], [5, 5, 25, 25], [50, 0, 70, 20]], np.float32)
    assert choose(boxes[:1], np.array([0.9])) == 0
    assert choose(boxes, np.array([0.99, 0.81, 0.9])) == 2
    assert choose(boxes[::-1], np.array([0.81, 0.9, 0.99])) == 1


# -- weights -----------------------------------------------------------------------------------------------------------

WANTED = {"backbone.weight": (4, 3), "backbone.bias": (4,)}


def arrays(**changes):
    made = {name: np.full(shape, 0.5, np.float32) for name, shape in WANTED.items()}
    return OrderedDict({**made, **{name.replace("__", "."): array for name, array in changes.items()}})


def write(folder, content, protocol=3):
    data = content if isinstance(content, bytes) else pickle.dumps(content, protocol)
    (folder / FILE).write_bytes(data)
    return str(folder)


def refused(folder, content):
    with pytest.raises(WeightsMissing) as error:
        read(write(folder, content), WANTED)
    assert "https://" in error.value.detail and "CC-BY-SA-3.0" in error.value.detail, "says where the right one is"
    return error.value.detail


@pytest.mark.parametrize("protocol", [3, 4])
def test_the_published_file_format_is_read(tmp_path, protocol):
    """With the constants that older versions of Detectron2 kept, and Torch's note of versions on the dictionary."""
    model = arrays(pixel_mean=np.zeros((3, 1, 1), np.float32), pixel_std=np.ones((3, 1, 1), np.float32))
    model["proposal_generator.anchor_generator.cell_anchors.0"] = np.zeros((3, 4), np.float32)
    model._metadata = OrderedDict({"": {"version": 1}})
    folder = write(tmp_path, {"model": model, "__author__": "Detectron2 Model Zoo"}, protocol)
    got = read(folder, WANTED)
    assert set(got) == set(WANTED) and (got["backbone.weight"] == 0.5).all()


def test_arrays_of_python_2_and_of_numpy_2_are_read(tmp_path):
    data = pickle.dumps({"model": dict(arrays())}, 3)
    renamed = data.replace(b"numpy.core.multiarray", b"numpy._core.multiarray")
    assert set(read(write(tmp_path, renamed), WANTED)) == set(WANTED)
    # Python 2 wrote an array's bytes as a string: SHORT_BINSTRING in place of SHORT_BINBYTES.
    raw = b"\x00\x00\x00\x3f" * 4
    assert pickle.SHORT_BINBYTES + b"\x10" + raw in data
    old = data.replace(pickle.SHORT_BINBYTES + b"\x10" + raw, pickle.SHORT_BINSTRING + b"\x10" + raw)
    assert (read(write(tmp_path, old), WANTED)["backbone.bias"] == 0.5).all()


def test_another_network_is_refused_with_what_differs(tmp_path):
    model = arrays(moon=np.zeros(1, np.float32), backbone__weight=np.zeros((4, 7), np.float32))
    del model["backbone.bias"]
    told = refused(tmp_path, {"model": model})
    assert "lacks backbone.bias" in told and "has the unknown moon" in told and "(4, 7), not (4, 3)" in told


def test_altered_values_are_refused(tmp_path):
    assert "is float64" in refused(tmp_path, {"model": arrays(backbone__bias=np.zeros(4))})
    assert "is object" in refused(tmp_path, {"model": arrays(backbone__bias=np.array([None] * 4))})
    nothing = np.full(4, np.nan, np.float32)
    assert "no numbers: backbone.bias" in refused(tmp_path, {"model": arrays(backbone__bias=nothing)})


def test_long_lists_of_differences_are_cut_short():
    told = compare({}, {f"conv{n}.weight": (1,) for n in range(9)})
    assert told == "lacks conv0.weight, conv1.weight, conv2.weight and 6 more"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html>",
        b"\n <html>",
        pickle.dumps({"model": arrays()})[:100],
        [1],
        {"blobs": arrays()},
        {"model": {"backbone.bias": 7}},
        pickle.dumps({"model": arrays()}).replace(b"\x10" + b"\x00\x00\x00\x3f" * 4, b"\x0c" + b"\x00\x00\x00\x3f" * 3),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, content):
    assert "cannot be read" in refused(tmp_path, content)


class Trap:
    """A pickle of it calls a function when it is read."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_file_cannot_run_anything(tmp_path, protocol):
    sprung = tmp_path / "sprung"
    for trap in (
        Trap(os.system, f"touch {sprung}"),
        Trap(eval, f"open({str(sprung)!r}, 'w')"),
        Trap(open, str(sprung), "w"),
    ):
        told = refused(tmp_path, pickle.dumps({"model": arrays(backbone__bias=trap)}, protocol))
        assert "which weights have no need of" in told and not sprung.exists()


def test_a_trap_within_an_array_is_not_sprung(tmp_path):
    sprung = tmp_path / "sprung"
    trap = np.array([Trap(os.system, f"touch {sprung}")] * 4, dtype=object)
    assert "posix.system" in refused(tmp_path, {"model": arrays(backbone__bias=trap)}) and not sprung.exists()


@pytest.mark.parametrize(
    "name", ["numpy.core.multiarray\nscalar", "numpy\nload", "builtins\ngetattr", "_codecs\nencode"]
)
def test_nothing_but_arrays_and_dictionaries_is_known(tmp_path, name):
    assert name.replace("\n", ".") in refused(tmp_path, b"c" + name.encode() + b"\n.")


# -- settings and build ------------------------------------------------------------------------------------------------


def test_settings_are_checked(monkeypatch):
    assert read_densepose_settings().densepose_side == 800
    for variable, wrong in (
        ("HOWSFIT_DENSEPOSE_SIDE", "200"),
        ("HOWSFIT_DENSEPOSE_SIDE", "1200"),
        ("HOWSFIT_DEVICE", "tpu"),
    ):
        with monkeypatch.context() as patch, pytest.raises(ValueError, match=variable):
            patch.setenv(variable, wrong)
            read_densepose_settings()


def test_compose_builds_from_the_commit_that_the_dockerfile_pins():
    dockerfile = (ROOT / "services" / "densepose" / "engines" / "detectron2" / "Dockerfile").read_text()
    source = re.search(r"^ADD (https\S+#[0-9a-f]{40}) /$", dockerfile, re.MULTILINE)[1]
    assert f"detectron2: ${{HOWSFIT_DETECTRON2:-{source}}}" in (ROOT / "docker-compose.engines.yml").read_text()
    assert f"HOWSFIT_DETECTRON2={source}\n" in (ROOT / ".env.example").read_text()
