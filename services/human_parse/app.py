"""The ASGI app of this stage, with the engine that HOWSFIT_HUMAN_PARSE_ENGINE chooses."""

from services.human_parse.stage import STAGE
from stagekit.app import create_app

app = create_app(STAGE)
