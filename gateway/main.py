"""The ASGI app of a gateway whose stages run elsewhere: `python -m stagekit.serve gateway.main:app`."""

from gateway.app import create_app

app = create_app()
