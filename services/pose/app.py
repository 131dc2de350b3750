"""The ASGI app of this stage, with the engine that HOWSFIT_POSE_ENGINE chooses."""

from services.pose.stage import STAGE
from stagekit.app import create_app

app = create_app(STAGE)
