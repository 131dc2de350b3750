"""The ASGI app of this stage, with the engine that HOWSFIT_RESIZE_ENGINE chooses."""

from services.resize.stage import STAGE
from stagekit.app import create_app

app = create_app(STAGE)
