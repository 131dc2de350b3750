"""The subcommands of `howsfit train`. Torch is imported where it is needed: the help needs none."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

if TYPE_CHECKING:
    from training.trainer import Rhythm

app = typer.Typer(
    help="Train HR-VITON's two networks on pairs of your own: first `condition`, then `generator`. docs/training.md tells how.",
    no_args_is_help=True,
)
out = Console(width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True)

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA", help="Data set in the VITON-HD layout, or shards of `howsfit dataset preprocess --shards`."
    ),
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the training: checkpoints, losses, pictures.")]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="official|RUN|FILE",
        help="Weights to begin from: the official ones, another training's, a file's.",
    ),
]
Seed = Annotated[int, typer.Option(help="Of the order of the pairs, of the first weights, of the noise.")]
Batch = Annotated[int, typer.Option(min=1, help="Pairs of a step, of all cards together.")]
Rate = Annotated[float, typer.Option(min=0, help="Times the published learning rates.")]
Ema = Annotated[float, typer.Option("--average", min=0, max=0.99999, help="Decay of the weights' moving average.")]
Perceptual = Annotated[
    Literal["imagenet", "random"],
    typer.Option(
        help="VGG19 as it learned from ImageNet (`howsfit weights pull training/vgg19`), or with random weights."
    ),
]
Profile = Annotated[str, typer.Option(help="plain: as published. 8gb: for a card of 8 GB; it learns the same.")]
Precision = Annotated[Literal["full", "bfloat16", "float16"], typer.Option(help="Of the convolutions.")]
Save = Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")]
Keep = Annotated[int, typer.Option(min=1, help="Checkpoints that are kept, besides the best.")]
Look = Annotated[int, typer.Option(min=0, help="Steps between pictures of the same few pairs; 0: none.")]
Judge = Annotated[
    int, typer.Option(min=0, help="Steps between evaluations of held-out pairs, by protocol `fast`; 0: none.")
]
Judged = Annotated[int, typer.Option(min=1, help="So many pairs of the test part are judged by.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes that read pictures for each card.")]
Resume = Annotated[
    bool, typer.Option("--resume/--anew", help="Go on with what is in the folder, or refuse to if there is anything.")
]
Check = Annotated[bool, typer.Option("--check/--no-check", help="Run `howsfit dataset check` first.")]


@app.command()
def condition(
    data: Data,
    run: Run,
    begin: From = None,
    steps: Annotated[int, typer.Option(min=1, help="As published.")] = 300_000,
    batch: Batch = 8,
    profile: Profile = "plain",
    precision: Precision = "full",
    seed: Seed = 0,
    rate: Rate = 1.0,
    average: Ema = 0.999,
    perceptual: Perceptual = "imagenet",
    save: Save = 1000,
    keep: Keep = 3,
    look: Look = 500,
    judge: Judge = 1000,
    judged: Judged = 64,
    workers: Workers = 4,
    resume: Resume = True,
    check: Check = True,
) -> None:
    """Train the condition generator on DATA: how a garment is warped, and which labels the dressed person has. At 256 x 192.

    It may be killed at any moment: the same command goes on, to the same weights.
    """
    from howsfit.train.running import Wanted, train

    wanted = Wanted(
        "condition",
        data,
        run,
        steps,
        batch,
        256,
        seed,
        rate,
        average,
        begin,
        None,
        perceptual,
        profile,
        precision,
        check,
    )
    train(wanted, _rhythm(save, look, judge, keep, workers, judged), err, resume)
    _say(str(run))


@app.command()
def generator(
    data: Data,
    run: Run,
    before: Annotated[
        str | None,
        typer.Option(
            "--condition",
            metavar="official|RUN|FILE",
            help="The condition generator before it; with --from official: the official one.",
        ),
    ] = None,
    begin: From = None,
    height: Annotated[
        int, typer.Option(min=256, max=1024, help="Of the pictures: 1024, or 512, or 256 for a try.")
    ] = 1024,
    steps: Annotated[
        int, typer.Option(min=1, help="As published; the learning rates fall in the second half.")
    ] = 200_000,
    batch: Batch = 4,
    profile: Profile = "plain",
    precision: Precision = "full",
    seed: Seed = 0,
    rate: Rate = 1.0,
    average: Ema = 0.999,
    perceptual: Perceptual = "imagenet",
    save: Save = 1000,
    keep: Keep = 3,
    look: Look = 500,
    judge: Judge = 1000,
    judged: Judged = 64,
    workers: Workers = 4,
    resume: Resume = True,
    check: Check = True,
) -> None:
    """Train the image generator on DATA: it draws the dressed person from the warped garment and the labels.

    It may be killed at any moment: the same command goes on, to the same weights.
    """
    from howsfit.train.running import Wanted, train

    if height % 256:
        raise ValueError(f"--height {height}: it is 1024, 768, 512 or 256.")
    wanted = Wanted(
        "generator",
        data,
        run,
        steps,
        batch,
        height,
        seed,
        rate,
        average,
        begin,
        before,
        perceptual,
        profile,
        precision,
        check,
    )
    train(wanted, _rhythm(save, look, judge, keep, workers, judged), err, resume)
    _say(str(run))


def _rhythm(save: int, look: int, judge: int, keep: int, workers: int, judged: int) -> "Rhythm":
    from howsfit.train.running import environment

    environment()
    from training.trainer import Rhythm

    return Rhythm(save=save, look=look, judge=judge, keep=keep, workers=workers, judged=judged)


def _say(text: str) -> None:
    out.print(text, highlight=False, markup=False, soft_wrap=True)


@app.command("demo")
def demo_(
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder for drawn pairs, trainings and demo.png.")
    ] = Path("out/training"),
    condition_steps: Annotated[int, typer.Option(min=1, help="Of the condition generator.")] = 150,
    generator_steps: Annotated[int, typer.Option(min=1, help="Of the image generator.")] = 300,
    profile: Profile = "8gb",
) -> None:
    """Train both networks on 64 drawn pairs at 256 x 192, on two cores in half an hour; OUT/demo.png shows before and after."""
    from howsfit.train.demo import demo

    _say(str(demo(output, (condition_steps, generator_steps), profile, err)))


@app.command("export")
def export_(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a training, of the image generator as a rule.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for mtviton.pth, gen.pth and weights.json.")],
    licence: Annotated[
        str | None, typer.Option(help="Of the weights; those that began from others' are under their licence.")
    ] = None,
    commercial: Annotated[
        Literal["yes", "no", "unclear"] | None, typer.Option(help="Whether they may be used commercially.")
    ] = None,
    statement: Annotated[
        str | None, typer.Option("--data", help="What they learned from, in a sentence; without: the folder's name.")
    ] = None,
) -> None:
    """Write the averaged weights of RUN as the engine hr_viton takes them, with digests, licence and data in weights.json."""
    from howsfit.train.exporting import MANIFEST, export
    from howsfit.train.running import environment

    environment()
    for path in export(run, output, licence, commercial, statement):
        _say(str(path))
    _say(f"howsfit weights import {output} --manifest {output / MANIFEST}   takes them into the engine's place.")
