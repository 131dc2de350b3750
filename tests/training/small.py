"""The networks with few channels, so that a step takes a moment; all else about them is as it is."""

from services.tryon.engines.hr_viton import condition, generator
from training import perceptual


def shrink():
    """For the rest of this process."""
    condition.CHANNELS = 4
    generator.HIDDEN = 8
    widths = (16, 16, 16, 16, 16, 16, 16, 16)
    inputs = (1024,) + tuple(width + generator.FEATURES for width in widths[:-1])
    generator.BLOCKS = tuple(
        (name, before, after) for (name, _, _), before, after in zip(generator.BLOCKS, inputs, widths, strict=True)
    )
    perceptual.WIDTHS = ((4, 4), (4, 4), (4, 4, 4, 4), (4, 4, 4, 4), (4,))


if __name__ == "__main__":
    shrink()
    from howsfit.cli import app

    app()
