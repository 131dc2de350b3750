"""DensePose on Detectron2 in its container, against Detectron2's own predictor and visualiser, and served.

Builds Detectron2 and writes half a gigabyte of weights. HOWSFIT_DETECTRON2 says what it is built from where its repository is
out of reach (docs/densepose.md).
"""

import io
import os
import socket

import numpy as np
import pytest
from PIL import Image

from stagekit.formats import DENSEPOSE_PALETTE
from stagekit.wire import decode as decode_parts

pytestmark = pytest.mark.engines

IMAGE = "densepose-detectron2"
PALETTE = np.array(DENSEPOSE_PALETTE, np.uint8)


@pytest.fixture(scope="module")
def built(yard):
    """The image, and deterministic weights with which it finds somebody, or nobody, in every photo."""
    if "HOWSFIT_DETECTRON2" not in os.environ and not reachable("github.com"):
        pytest.skip(
            "Detectron2's repository is out of reach: set HOWSFIT_DETECTRON2 to a folder with its source or wheels"
        )
    yard.build("densepose", HOWSFIT_DENSEPOSE_ENGINE="detectron2")
    yard.inside(IMAGE, "python", "-m", "tests.specs.detectron2.weights", "/weights/somebody/detectron2")
    yard.inside(IMAGE, "python", "-m", "tests.specs.detectron2.weights", "/weights/nobody/detectron2", "--nobody")
    for folder in ("somebody", "nobody"):
        yard.choose("detectron2/model_final_162be9.pkl", folder)
    return yard


def reachable(host):
    try:
        socket.create_connection((host, 443), timeout=5).close()
    except OSError:
        return False
    return True


def test_the_picture_is_that_of_detectron2_and_its_visualiser(built, artifacts):
    (built.weights / "person.png").write_bytes(artifacts["person"])
    command = ("tests.parity", "detectron2", "/weights/person.png", "--weights", "/weights/somebody/detectron2")
    told = built.inside(IMAGE, "python", "-W", "ignore", "-m", *command)
    assert "picture, from the photo: 0 of" in told and "U and V, on the same output: 0 of" in told, told


def test_what_is_wrong_with_the_weights_is_told(built):
    told = built.inside(IMAGE, "python", "-m", "tests.engines.broken_detectron2").splitlines()[-4:]
    empty, trap, foreign, altered = told
    assert "there is no model_final_162be9.pkl" in empty and "howsfit weights pull detectron2" in empty
    assert "https://" in empty and "CC-BY-SA" in empty
    assert "posix.system" in trap and trap.endswith("False"), "the code in the file was not run"
    assert "ann_index_lowres.bias" in foreign and "moon" in foreign and "(512, 1, 4, 4), not (512, 2, 4, 4)" in foreign
    assert "bytes, not 255757821" in altered, "refused before it is read"


def test_a_person_is_painted_in_the_published_colours_on_black(built, artifacts):
    with built.stage(IMAGE, weights="somebody") as stage:
        info = stage.get("/info").json()
        assert info["runtime"]["python"].startswith("3.9.") and list(info["inputs"]) == ["person"]
        assert info["runtime"]["framework"] == "torch 1.10.0+cu102, detectron2 0.6"
        assert info["weights"][0]["file"] == "model_final_162be9.pkl" and info["weights"][0]["trust"] == "recorded"
        answer = stage.post("/run?extras=true", files={"person": artifacts["person"]})
        assert answer.status_code == 200, answer.text
        again = stage.post("/run?artifact=densepose", files={"person": artifacts["person"]})
    parts = decode_parts(answer.headers["content-type"], answer.content)
    assert again.content == parts["densepose"].data
    picture = Image.open(io.BytesIO(parts["densepose"].data))
    ids, u, v = (np.array(Image.open(io.BytesIO(parts[f"densepose_{which}"].data))) for which in "iuv")
    assert picture.mode == "RGB" and picture.size == (768, 1024)
    assert np.array_equal(np.array(picture), PALETTE[ids]), "the parts' colours and black, and nothing of the photo"
    assert len(np.unique(ids)) > 5 and ids.max() <= 24 and (ids == 0).any()
    assert not u[ids == 0].any() and not v[ids == 0].any() and u.any() and v.any()


def test_a_photo_without_a_person_is_refused(built, artifacts):
    with built.stage(IMAGE, weights="nobody") as stage:
        answer = stage.post("/run", files={"person": artifacts["person"]})
    assert answer.status_code == 422 and answer.json()["code"] == "no-person"
