"""The ASGI app of this stage, with the engine that HOWSFIT_CLOTH_MASK_ENGINE chooses."""

from services.cloth_mask.stage import STAGE
from stagekit.app import create_app

app = create_app(STAGE)
