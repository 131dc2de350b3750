"""The ASGI app of this stage, with the engine that HOWSFIT_PASTE_BACK_ENGINE chooses."""

from services.paste_back.stage import STAGE
from stagekit.app import create_app

app = create_app(STAGE)
