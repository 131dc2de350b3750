"""The ASGI app of this stage, with the engine that HOWSFIT_TRYON_ENGINE chooses."""

from services.tryon.stage import STAGE
from stagekit.app import create_app

app = create_app(STAGE)
