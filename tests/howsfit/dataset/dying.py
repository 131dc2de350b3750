"""The command `howsfit`, which dies as by kill -9 when it comes to a method: python -m tests.howsfit.dataset.dying dataset …

DIES_IN names the method, as howsfit.client:Client.forget; AT says at which call of it, the first being 1.
"""

import importlib
import operator
import os
import signal

from howsfit.cli import main

module, _, path = os.environ["DIES_IN"].partition(":")
owner_name, _, method = path.rpartition(".")
owner = importlib.import_module(module)
if owner_name:
    owner = operator.attrgetter(owner_name)(owner)
original = getattr(owner, method)
calls = 0


def die(*arguments, **named):
    global calls
    calls += 1
    if calls == int(os.environ["AT"]):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **named)


setattr(owner, method, die)
main()
