"""The ASGI app of this stage, with the engine that HOWSFIT_DENSEPOSE_ENGINE chooses."""

from services.densepose.stage import STAGE
from stagekit.app import create_app

app = create_app(STAGE)
