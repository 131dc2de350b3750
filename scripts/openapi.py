"""Write the gateway's OpenAPI document to web/openapi.json, which the web app's client is made from: `make web-client`."""

import json
import tempfile
from pathlib import Path

from gateway.app import create_app
from gateway.settings import Settings

PLACE = Path(__file__).parents[1] / "web" / "openapi.json"


def document() -> str:
    """The same for every gateway, whatever its settings are."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(stages={"tryon": "http://tryon:8000"}, data_dir=Path(folder)))
        return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    PLACE.write_text(document(), encoding="utf-8")
