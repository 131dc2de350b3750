"""What results say of themselves, as other programs read it."""

import io
from datetime import date
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from gateway.pictures.previews import rendered
from gateway.pictures.provenance import Provenance, packet_in, with_packet
from howsfit.files import picture_as
from stagekit.wire import Part
from tests.pictures import encoded

SAID = Provenance("compositeSynthetic", "tps 4, blend 1", date(2026, 11, 26), {"hem": "tucked", "of": '<"&>'})
TERMS = {
    "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic",
    "{http://ns.adobe.com/xap/1.0/}CreatorTool": "Howsfit (tps 4, blend 1)",
    "{http://ns.adobe.com/xap/1.0/}CreateDate": "2026-11-26",
    "{urn:howsfit:provenance}Engine": "tps 4, blend 1",
    "{urn:howsfit:provenance}Options": '{"hem": "tucked", "of": "<\\"&>"}',
}
PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg"}


def noise(size=(96, 128)):
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (*size[::-1], 3), np.uint8))


def read(data):
    """The attributes of the packet as Pillow finds it, which knows nothing of ours."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        xmp = image.info.get("xmp")
    if xmp is None:
        return None
    (described,) = ElementTree.fromstring(xmp).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    return {name: value for name, value in described.items() if "rdf-syntax" not in name}


@pytest.mark.parametrize("form", PICTURES)
def test_others_read_it_and_no_pixel_changes(form):
    plain = encoded(noise(), form)
    signed = with_packet(Part(plain, PICTURES[form]), SAID.packet())
    assert read(plain) is None and read(signed.data) == TERMS
    assert packet_in(signed.data) == SAID.packet() and packet_in(plain) is None
    with Image.open(io.BytesIO(plain)) as before, Image.open(io.BytesIO(signed.data)) as after:
        after.load()
        assert before.tobytes() == after.tobytes() and before.format == after.format


def test_a_jpeg_without_jfif_takes_it_too():
    plain = encoded(noise(), "JPEG")
    length = int.from_bytes(plain[4:6], "big")
    bare = plain[:2] + plain[4 + length :]
    assert read(with_packet(Part(bare, "image/jpeg"), SAID.packet()).data) == TERMS


def test_other_files_stay_as_they_are():
    part = Part(b"{}", "application/json")
    assert with_packet(part, SAID.packet()) is part


def test_previews_and_other_formats_keep_it():
    signed = with_packet(Part(encoded(noise()), "image/png"), SAID.packet())
    assert read(rendered(signed, 48).data) == TERMS
    assert all(read(rendered(signed, None, form, 50).data) == TERMS for form in ("jpeg", "png", "webp"))
    for form in ("JPEG", "WEBP", "PNG"):
        assert read(picture_as(form, signed.data)) == TERMS


def test_what_a_camera_wrote_is_not_taken_for_ours():
    theirs = io.BytesIO()
    camera = b'<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/"/><?xpacket end="r"?>'
    noise().save(theirs, "JPEG", xmp=camera)
    assert packet_in(theirs.getvalue()) is None
    assert read(rendered(Part(theirs.getvalue(), "image/jpeg"), 48).data) is None
