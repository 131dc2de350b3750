"""A gateway that dies as by kill -9 when it comes to a method: python -m stagekit.serve tests.gateway.dying_gateway:app

DIES_IN names the method, as gateway.tryons.life:Tryons.forget_fetched.
"""

import importlib
import operator
import os
import signal

from gateway.main import app

module, _, path = os.environ["DIES_IN"].partition(":")
owner, _, method = path.rpartition(".")


async def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


setattr(operator.attrgetter(owner)(importlib.import_module(module)), method, die)
__all__ = ["app"]
