"""A try-on as a data-set folder."""

import io
import zipfile

from gateway.tryons.dataset import LAYOUT, PAIRED, export
from stagekit.wire import Part
from tests.pictures import encoded, picture

PICTURE = Part(encoded(picture("RGB", (16, 16), 9)), "image/png")


def files(**artifacts):
    archive = zipfile.ZipFile(io.BytesIO(export(artifacts)))
    return {name: archive.read(name) for name in archive.namelist()}


def test_what_the_data_set_has_no_place_for_is_kept_under_its_name():
    category = Part(b'{"category": "upper"}', "application/json")
    found = files(shadow=PICTURE, category=category, photo=PICTURE, garment=PICTURE)
    assert found == {
        "howsfit/00001_00_00002_00_shadow.png": PICTURE.data,
        "howsfit/00001_00_00002_00_category.json": category.data,
    }, "all but the uploads"


def test_a_garment_lies_under_both_names():
    found = files(cloth=PICTURE)
    assert found.keys() == {LAYOUT["cloth"], PAIRED["cloth"]}
