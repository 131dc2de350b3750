"""What Schemathesis needs to get past the door: real pictures in the place of random bytes, most of the time."""

import base64
import os

import schemathesis
from hypothesis import strategies as st

from tests.servers import ROOT

SAMPLES = ROOT / "howsfit" / "samples"
FILES = {"photo": "person.jpg", "garment": "garment_tee.jpg", "image": "garment_top.jpg"}
PICTURES = {name: base64.b64encode((SAMPLES / file).read_bytes()).decode() for name, file in FILES.items()}
"""As text, which forms and JSON take."""
IMAGES = os.environ.get("FUZZ_IMAGES", "").split()
"""Ids of uploaded images."""


@schemathesis.hook
def flatmap_body(context, body):
    if not isinstance(body, dict):
        return st.just(body)

    def mend(dice):
        mended = dict(body)
        for name, data in PICTURES.items():
            if name in mended and dice > 2:
                mended[name] = data
            if f"{name}_id" in mended and dice > 5:
                del mended[f"{name}_id"]
        for name in ("artifacts", "engines", "options", "category", "samples", "webhook_url"):
            if name in mended and dice > 3:  # of which hardly any fits to what runs here
                del mended[name]
        if "webhook_url" not in mended:
            mended.pop("webhook_events", None)
        if "variants" in mended and dice > 3:
            mended["variants"] = [{}, {"label": "가", "options": {"tryon": {"hem": "tucked"}}}]
        for name in ("photo_ids", "garment_ids"):
            if name in mended and dice > 4:
                mended[name] = IMAGES
        return mended

    return st.integers(0, 9).map(mend)
