"""The ASGI app of this stage, with the engine that HOWSFIT_CATEGORY_ENGINE chooses."""

from services.category.stage import STAGE
from stagekit.app import create_app

app = create_app(STAGE)
