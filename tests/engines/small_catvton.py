"""CatVTON in its container with smaller networks of the same make.

python -m tests.engines.small_catvton write FOLDER    their made-up weights, into a folder of weights
python -m tests.engines.small_catvton serve           the stage
"""

import sys
from pathlib import Path

from services.tryon.engines.catvton.engine import Engine
from services.tryon.engines.catvton.pictures import Form
from stagekit import serve
from tests.specs.catvton.weights import SMALL_UNET, SMALL_VAE, write_weights

VARIANT = "mix-48k-1024"

if __name__ == "__main__":
    if sys.argv.pop(1) == "write":
        write_weights(Path(sys.argv[1]), SMALL_UNET, SMALL_VAE, VARIANT)
    else:
        Engine.unet_config, Engine.vae_config = SMALL_UNET, SMALL_VAE
        Engine.forms = {VARIANT: Form(256, 192, blur=2)}
        sys.argv.append("services.tryon.app:app")
        serve.main()
