"""The networks with few channels, so that a step takes a moment; all else about them is as it is.

python -m tests.training.small train condition DATA RUN …     as `howsfit train`, with small networks
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.tryon.engines.hr_viton import condition, generator
from training import perceptual


@contextmanager
def shrunk(channels: int = 4, width: int = 16, hidden: int = 8, vgg: int = 4) -> Iterator[None]:
    """channels: of the condition generator; width, hidden: of the image generator's blocks and norms; vgg: of VGG19."""
    blocks = tuple(
        (name, width + generator.FEATURES if number else 1024, width)
        for number, (name, _, _) in enumerate(generator.BLOCKS)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(condition, "CHANNELS", channels)
        patch.setattr(generator, "HIDDEN", hidden)
        patch.setattr(generator, "BLOCKS", blocks)
        patch.setattr(perceptual, "WIDTHS", tuple((vgg,) * len(group) for group in perceptual.WIDTHS))
        yield


if __name__ == "__main__":
    from howsfit.cli import app

    with shrunk():
        app()
