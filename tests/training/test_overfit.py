"""Whether the image generator learns at all: one pair, over and over, until it is reproduced. A minute or two.

Run by `make test-training`, in the environment of the training.
"""

import pytest

torch = pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")
pytest.importorskip("accelerate", reason="no Accelerate here: `make test-training` has it")

from howsfit.dataset.drawn import draw_set  # noqa: E402
from howsfit.evaluation import measures  # noqa: E402
from howsfit.train import origins, sources  # noqa: E402
from services.tryon.engines.hr_viton.condition import ConditionGenerator  # noqa: E402
from tests.training.small import shrunk  # noqa: E402
from training.board import pixels  # noqa: E402
from training.data import OF_GENERATOR, Pairs, first  # noqa: E402
from training.settings import Settings  # noqa: E402
from training.tasks import GeneratorTask  # noqa: E402

STEPS = 120


def test_an_overfitted_pair_is_reproduced(tmp_path):
    draw_set(tmp_path, 1, 0)
    batch = first(Pairs(sources.pairs(tmp_path, "train", OF_GENERATOR), OF_GENERATOR, 256), 1)
    settings = Settings("generator", data="", pairs=1, steps=STEPS, batch=1, profile="8gb")
    with shrunk(width=64, hidden=32, vgg=16):
        task = GeneratorTask(settings, ConditionGenerator(), origins.vgg("random", 0), torch.device("cpu"))
        before = likeness(task, batch)
        losses = [task.step(batch, step) for step in range(STEPS)]
        after = likeness(task, batch)
    assert before < 0.8
    assert after >= 0.9, (before, after)
    for term in ("vgg", "feat"):
        early, late = (sum(each[term] for each in some) for some in (losses[:20], losses[-20:]))
        assert late < 0.7 * early, term


def likeness(task, batch):
    made = task.make(batch)
    picture, truth = (pixels(each[0].permute(1, 2, 0)) / 255 for each in (made.pictures, made.truth))
    return measures.ssim(picture, truth)
