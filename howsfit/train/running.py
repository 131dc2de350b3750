"""A training, from the command's words to its end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console

from howsfit import files
from howsfit.dataset.progress import bar
from howsfit.train import origins, sources
from howsfit.train.origins import FILES, OFFICIAL, RUN, Origin
from howsfit.train.showing import shown

if TYPE_CHECKING:
    from training.settings import Settings
    from training.tasks import Task
    from training.trainer import Rhythm


@dataclass(frozen=True)
class Wanted:
    """What the command was told."""

    kind: Literal["condition", "generator"]
    data: Path
    run: Path
    steps: int
    batch: int
    height: int = 256
    seed: int = 0
    rate: float = 1.0
    average: float = 0.999
    begin: str | None = None
    """Weights to begin from, as origins.origin takes them."""
    condition: str | None = None
    """Of the image generator's training: the condition generator before it, alike."""
    perceptual: Literal["imagenet", "random"] = "imagenet"
    profile: str = "plain"
    precision: Literal["full", "bfloat16", "float16"] = "full"
    checked: bool = True
    """Whether the data set is checked first."""


def environment() -> None:
    """Raises ValueError where what trainings need is not here."""
    try:
        import accelerate  # noqa: F401
        import tensorboard  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise ValueError(
            f"Training needs {error.name}, which is not in this environment. `make .venv-training/ready` makes one that has "
            "all: run `.venv-training/bin/howsfit train …` there. docs/training.md says how with a graphics card."
        ) from None


def train(wanted: Wanted, rhythm: "Rhythm", err: Console, resume: bool = True) -> None:
    """Train in the folder `wanted.run`, on from where it stands. resume: False refuses a folder with a training in it.

    Raises ValueError with what to do, WeightsMissing.
    """
    environment()
    from accelerate import Accelerator

    from howsfit.train.judging import Judged
    from training.data import Pairs
    from training.trainer import Listener, Trainer

    if not wanted.data.is_dir():
        raise ValueError(f"There is no folder '{wanted.data}'.")
    if not resume and (wanted.run / RUN).exists():
        raise ValueError(f"'{wanted.run}' holds a training. Name another folder, or go on with it: without --anew.")
    files.check((), (), [wanted.run])
    accelerator = Accelerator()
    with _alone(wanted.run, accelerator.is_main_process):
        if wanted.checked and accelerator.is_main_process:
            with bar(err, "Checking the data set") as told:
                sources.check(wanted.data, wanted.run, err, told.begin, told.tell)
        accelerator.wait_for_everyone()
        _afford(wanted, accelerator, err)
        settings, task, learned, held_out = _prepare(wanted, accelerator.device, accelerator.is_main_process)
        pairs = Pairs(learned, task.artifacts, wanted.height)
        others = Pairs(held_out, task.artifacts, wanted.height) if held_out else None
        with shown(err, wanted.kind, accelerator.is_main_process) as told_of:
            listener = Listener(told_of.began, told_of.stepped, told_of.judged)
            judge = Judged(wanted.run / "judged")
            Trainer(wanted.run, settings, task, pairs, others, accelerator, rhythm, judge, listener).train()


def _afford(wanted: Wanted, accelerator: Any, err: Console) -> None:
    """Tell what memory a step takes. Raises NotEnoughMemory, with the setting that would help."""
    from training.budget import budget, free_memory
    from training.profiles import named

    profile = named(wanted.profile, wanted.precision)
    batch = max(1, wanted.batch // accelerator.num_processes)
    needed = budget(wanted.kind, wanted.height, wanted.height * 3 // 4, batch, profile)
    if accelerator.is_main_process:
        err.print(needed.table())
    needed.demand(free_memory(accelerator.device), accelerator.device.type == "cuda")


def _prepare(wanted: Wanted, device: Any, main: bool) -> "tuple[Settings, Task, list[Any], list[Any]]":
    """Settings, task, pairs to learn from and pairs that are held out."""
    from training.data import OF_CONDITION, OF_GENERATOR
    from training.settings import Settings

    artifacts = OF_CONDITION if wanted.kind == "condition" else OF_GENERATOR
    learned, held_out = (sources.pairs(wanted.data, part, artifacts) for part in ("train", "test"))
    if not learned:
        raise ValueError(
            f"'{wanted.data}' has no pairs to learn from: train_pairs.txt names them, a line PERSON.jpg CLOTH.jpg each."
        )
    condition = _condition_of(wanted) if wanted.kind == "generator" else ""
    settings = Settings(
        kind=wanted.kind,
        data=sources.digest(learned),
        pairs=len(learned),
        steps=wanted.steps,
        batch=wanted.batch,
        height=wanted.height,
        seed=wanted.seed,
        average=wanted.average,
        rate=wanted.rate,
        begun_from=wanted.begin or "nothing",
        condition=condition,
        perceptual=wanted.perceptual,
        profile=wanted.profile,
        precision=wanted.precision,
    )
    begins = not (wanted.run / RUN).exists()
    begun = origins.origin(wanted.begin, wanted.kind) if wanted.begin and begins else None
    kept = wanted.run / FILES["condition"]
    # The training keeps the weights before it: whatever becomes of their own folder, it goes on with these.
    before = origins.origin(condition if begins else str(kept), "condition") if condition else None
    if begins and main:
        _write_run(wanted, settings, [each for each in (before, begun) if each is not None], before)
    return settings, _task(settings, begun, before, device), learned, held_out


def _condition_of(wanted: Wanted) -> str:
    """The words for the condition generator before the image generator."""
    said = wanted.condition or (OFFICIAL if wanted.begin == OFFICIAL else None)
    if said is None:
        raise ValueError(
            "The image generator is trained behind a condition generator. Name one with --condition: `official`, or the folder "
            "of a `howsfit train condition`."
        )
    return said


def _task(settings: "Settings", begun: Origin | None, before: Origin | None, device: Any) -> "Task":
    from services.tryon.engines.hr_viton.condition import ConditionGenerator
    from training.tasks import ConditionTask, GeneratorTask, Task

    vgg = origins.vgg(settings.perceptual, settings.seed)
    task: Task
    if before is None:
        task = ConditionTask(settings, vgg, device)
    else:
        condition = ConditionGenerator()
        condition.load_state_dict(before.state)
        task = GeneratorTask(settings, condition, vgg, device)
    if begun is not None:
        task.generator.load_state_dict(begun.state)
    return task


def _write_run(wanted: Wanted, settings: "Settings", came: list[Origin], before: Origin | None) -> None:
    """What the training is and what it came from, which an export says, too."""
    from training.checkpoints import write_whole

    if before is not None:
        write_whole(wanted.run / FILES["condition"], before.state)
    learned = f"{settings.pairs} pairs of '{wanted.data.resolve().name}'"
    document = {
        "settings": settings.document(),
        "folder": str(wanted.data.resolve()),
        "weights": [each.name for each in came],
        "data": "; ".join(dict.fromkeys([learned, *(each.data for each in came if each.data)])),
        "licence": next((each.licence for each in came if each.licence), ""),
        "commercial": next((word for word in ("no", "unclear") if word in {each.commercial for each in came}), ""),
    }
    files.write(wanted.run / RUN, json.dumps(document, indent=2).encode())


@contextmanager
def _alone(run: Path, main: bool) -> Iterator[None]:
    """One training at a time in a folder."""
    run.mkdir(parents=True, exist_ok=True)
    if not main:
        yield
        return
    with files.alone_in(run, f"Another process trains in '{run}'. Wait for it, or name another folder."):
        yield
