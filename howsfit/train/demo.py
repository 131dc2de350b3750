"""`howsfit train demo`: both trainings on drawn pairs, for two cores and some minutes, and a picture of what came."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from howsfit import files
from howsfit.train import origins, sources
from howsfit.train.origins import FILES, RUN
from howsfit.train.running import Wanted, environment, train

if TYPE_CHECKING:
    import numpy as np

PAIRS, HELD_OUT, SHOWN = 64, 8, 4
SEED = 3
HEIGHT = 256


def demo(out: Path, steps: tuple[int, int], profile: str, err: Console) -> Path:
    """Draw the pairs, train the condition generator and behind it the image generator, each for so many steps, and show people
    in others' garments before and after: the picture's path. Goes on where it was broken off.

    Raises ValueError, OSError.
    """
    environment()
    from training.trainer import Rhythm

    data = out / "data"
    if not (data / "test_pairs.txt").exists():
        from howsfit.dataset.drawn import draw_set

        with err.status(f"Drawing {PAIRS} pairs"):
            draw_set(data, PAIRS, HELD_OUT, SEED)
    # Few steps: twice the rates, and an average that forgets soon.
    wanted = Wanted(
        "condition", data, out / "condition", steps[0], 1, HEIGHT, SEED, rate=2.0, average=0.95,
        perceptual="imagenet" if origins.has_vgg() else "random", profile=profile,
    )  # fmt: skip
    rhythm = Rhythm(save=50, look=50, judge=50, keep=1, workers=1, judged=HELD_OUT)
    train(wanted, rhythm, err)
    behind = replace(
        wanted, kind="generator", run=out / "generator", steps=steps[1], condition=str(out / "condition"), checked=False
    )
    train(behind, rhythm, err)
    picture = out / "demo.png"
    _write(picture, before_and_after(out / "generator", data))
    return picture


def before_and_after(run: Path, data: Path) -> "np.ndarray":
    """Held-out persons in others' garments, a row for each: photo, garment, as drawn by the untrained network, and by the
    trained. uint8 (H, W, 3)."""
    import torch

    from services.tryon.engines.hr_viton.condition import ConditionGenerator
    from training.board import grid
    from training.data import OF_GENERATOR, Pairs, first, scaled
    from training.perceptual import Vgg19
    from training.settings import Settings
    from training.tasks import GeneratorTask

    settings = Settings(**json.loads((run / RUN).read_bytes())["settings"])
    condition = ConditionGenerator()
    condition.load_state_dict(origins.origin(str(run / FILES["condition"]), "condition").state)
    task = GeneratorTask(settings, condition, Vgg19(), torch.device("cpu"))
    batch = _exchanged(first(Pairs(sources.pairs(data, "test", OF_GENERATOR), OF_GENERATOR, settings.height), SHOWN))
    before = task.make(batch).pictures
    task.generator.load_state_dict(origins.averaged(run, "generator"))
    after = task.make(batch).pictures
    return grid([scaled(batch["person"]), scaled(batch["cloth"]), before, after])


def _exchanged(batch: dict[str, Any]) -> dict[str, Any]:
    """Each person in the next one's garment."""
    return batch | {name: batch[name].roll(-1, 0) for name in ("cloth", "cloth_mask")}


def _write(path: Path, pixels: "np.ndarray") -> None:
    from PIL import Image

    with files.beside(path) as part:
        Image.fromarray(pixels).save(part, format=files.picture_format(path))
