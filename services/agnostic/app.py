"""The ASGI app of this stage, with the engine that HOWSFIT_AGNOSTIC_ENGINE chooses."""

from services.agnostic.stage import STAGE
from stagekit.app import create_app

app = create_app(STAGE)
