"""Requests that several tests of the API make."""

import io

from PIL import Image

from tests.pictures import encoded


def post(api, photo, garment, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.post("/v1/tryons", files={"photo": photo, "garment": garment}, headers=headers)


def upload(api, data):
    """The id of an uploaded image."""
    answer = api.post("/v1/images", files={"image": data})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def other_photo(bundled, quality):
    """The same portrait in other bytes, which no cache knows."""
    return encoded(Image.open(io.BytesIO(bundled[0])).convert("RGB"), "JPEG", quality=quality)
