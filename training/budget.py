"""What memory a step of a training needs, computed before the first one; and what would help where it is too much.

The step's own code runs on tensors without numbers (`training.meter`), block by block. A card needs more than that: its
driver, what convolutions set aside, gaps between tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from rich.table import Table
from torch import Tensor, nn

from services.tryon.engines.hr_viton.condition import HEIGHT, LABELS, WIDTH, ConditionGenerator, ResidualBlock
from services.tryon.engines.hr_viton.generator import BLOCKS, COARSEST, INPUTS, ImageGenerator, Noise
from services.tryon.engines.hr_viton.generator import LABELS as IMAGE_LABELS
from training.condition_losses import Recipe, Sample
from training.condition_step import BETAS as CONDITION_BETAS
from training.condition_step import ConditionTraining
from training.discriminators import ConditionDiscriminator, ImageDiscriminator
from training.drawing import STEPS, Labels, finished, planes, through_block
from training.generator_step import BETAS, Batch, GeneratorTraining, Part
from training.lookup import Rows
from training.meter import Meter, metered
from training.perceptual import Vgg19
from training.profiles import EIGHT_GB, Precision, Profile, named

Kind = Literal["condition", "generator"]

GIB = 2**30

NEIGHBOURHOODS, SMALL_NEIGHBOURHOODS = 2500, 400
"""Distinct ones of a parse, 5 x 5 and 3 x 3: more than real ones have."""

SPARE, GAPS = 0.8 * GIB, 1.1
"""Of a card: driver and workspaces; and a factor for what lies unused between tensors."""


class NotEnoughMemory(ValueError):
    """The training would run out of memory. The message says what would help."""


class Network(NamedTuple):
    """Bytes of what stays throughout."""

    name: str
    weights: int
    gradients: int
    states: int


class Work(NamedTuple):
    """Bytes of a part of the step."""

    name: str
    kept: int
    """From its forward to its backward pass."""
    needed: int
    """At most, while it goes back (with what it kept)."""
    total: int
    """Then, in all."""


@dataclass(frozen=True)
class Budget:
    """Computed; not measured."""

    kind: Kind
    height: int
    width: int
    batch: int
    profile: Profile
    networks: list[Network] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Bytes of all tensors at the moment when they are most."""
        return max(work.total for work in self.works)

    @property
    def on_a_card(self) -> int:
        """Bytes, with what a card needs besides."""
        return int(SPARE + GAPS * self.total)

    def table(self) -> Table:
        """For rich's console."""
        title = f"Memory of {self}, in MiB, computed"
        table = Table("", "weights", "gradients", "Adam", "kept", "at work", "in all then", title=title)
        for column in table.columns[1:]:
            column.justify = "right"
        for name, *sizes in self.networks:
            table.add_row(name, *map(_mib, sizes))
        table.add_section()
        for work in self.works:
            most = "[bold]" if work.total == self.total else ""
            table.add_row(work.name, "", "", "", _mib(work.kept), _mib(work.needed), most + _mib(work.total))
        table.caption = f"On a card, with driver, workspaces and gaps: about {self.on_a_card / GIB:.1f} GiB"
        return table

    def __str__(self) -> str:
        precision = "" if self.profile.precision == "full" else f", {self.profile.precision}"
        return (
            f"the {self.kind} training at {self.height} x {self.width}, batch {self.batch}, "
            f"profile {self.profile.name}{precision}"
        )

    def demand(self, free: int, on_a_card: bool = True) -> None:
        """Raises NotEnoughMemory, with the first setting that would help, where free bytes do not suffice."""
        needed = self.on_a_card if on_a_card else self.total
        if needed <= free:
            return
        said = (
            f"{str(self)[0].upper()}{str(self)[1:]} needs about {needed / GIB:.1f} GiB; {free / GIB:.1f} GiB are free."
        )
        for setting, other in self._alternatives():
            needed = other.on_a_card if on_a_card else other.total
            if needed <= free:
                raise NotEnoughMemory(f"{said} With {setting} it needs {needed / GIB:.1f} GiB.")
        raise NotEnoughMemory(f"{said} No setting brings it under that: use a device with more memory.")

    def _alternatives(self) -> Iterator[tuple[str, Budget]]:
        """From what costs nothing but time to what makes another training."""
        lean = named(EIGHT_GB.name, self.profile.precision)
        if self.profile != lean:
            yield f"--profile {lean.name}", budget(self.kind, self.height, self.width, self.batch, lean)
        half: Precision = "bfloat16" if self.profile.precision == "full" else self.profile.precision
        lean16 = named(EIGHT_GB.name, half)
        if half != self.profile.precision:
            setting = f"--profile {lean16.name} --precision {half}"
            yield setting, budget(self.kind, self.height, self.width, self.batch, lean16)
        if self.kind == "condition":
            for batch in (4, 2, 1):
                if batch < self.batch:
                    setting = f"--profile {lean16.name} --precision {half} --batch {batch}"
                    yield setting, budget(self.kind, self.height, self.width, batch, lean16)
        else:
            for height in (768, 512, 256):
                if height < self.height:
                    setting = f"--profile {lean16.name} --precision {half} --height {height}"
                    yield setting, budget(self.kind, height, height * 3 // 4, self.batch, lean16)


def free_memory(device: torch.device) -> int:
    """Bytes that a training could still take there."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def budget(kind: Kind, height: int, width: int, batch: int, profile: Profile) -> Budget:
    """What a step needs. height, width: of the image generator's pictures; the condition generator has a size of its own."""
    with metered() as meter:
        if kind == "condition":
            return _condition(meter, batch, profile)
        return _generator(meter, height, width, batch, profile)


def _condition(meter: Meter, batch: int, profile: Profile) -> Budget:
    networks = (ConditionGenerator(), ConditionDiscriminator(), Vgg19())
    training = ConditionTraining(*networks, Recipe(), profile)
    training.generator_stepper = training.discriminator_stepper = _Still()  # type: ignore[assignment]
    found = Budget("condition", HEIGHT, WIDTH, batch, profile, [
        _learning("condition generator", networks[0], profile, CONDITION_BETAS),
        _learning("discriminator", networks[1], profile, CONDITION_BETAS),
        _frozen("perceptual network", networks[2]),
    ])  # fmt: skip
    constant = _constant(found)
    _with_gradients(networks[0], networks[1])
    size = (HEIGHT, WIDTH)
    sample = Sample(
        torch.empty(batch, 3, *size), torch.empty(batch, 1, *size), torch.empty(batch, LABELS, *size),
        torch.empty(batch, 3, *size), torch.empty(batch, 3, *size), torch.zeros(batch, *size, dtype=torch.long),
    )  # fmt: skip
    blocks: list[Work] = []
    for name, module in networks[0].named_modules():
        if isinstance(module, ResidualBlock):
            _note_what_stays(meter, name, module, blocks, constant)
    _, needed = meter.most(partial(training.step_generator, sample))
    kept = sum(work.kept for work in blocks)
    found.works.extend([*blocks, Work("generator's step", kept, needed, constant + needed)])
    _, needed = meter.most(partial(training.step_discriminator, sample))
    found.works.append(Work("discriminator's step", 0, needed, constant + needed))
    return found


def _note_what_stays(meter: Meter, name: str, module: nn.Module, works: list[Work], constant: int) -> None:
    before: list[int] = []

    def after(*_: object) -> None:
        kept = meter.now - before.pop()
        works.append(Work(name, kept, kept, constant + kept + sum(work.kept for work in works)))

    module.register_forward_pre_hook(lambda *_: before.append(meter.now))
    module.register_forward_hook(after)


def _generator(meter: Meter, height: int, width: int, batch: int, profile: Profile) -> Budget:
    network, discriminator, vgg = ImageGenerator(), ImageDiscriminator(), Vgg19()
    training = GeneratorTraining(network, discriminator, vgg, profile)
    found = Budget("generator", height, width, batch, profile, [
        _learning("image generator", network, profile, BETAS),
        _learning("discriminator", discriminator, profile, BETAS),
        _frozen("perceptual network", vgg),
        _frozen("condition generator", ConditionGenerator()),
    ])  # fmt: skip
    constant = _constant(found)
    _with_gradients(network, discriminator)
    height, width = height + -height % COARSEST, width + -width % COARSEST  # narrower pictures are carried on outwards
    count = min(profile.at_once or batch, batch)
    part = Part(
        Batch(
            torch.empty(count, INPUTS, height, width),
            torch.zeros(count, height, width, dtype=torch.uint8),
            torch.empty(count, 3, height, width),
        ),
        [_labels(count, height // step, width // step, profile) for step in STEPS],
        count / batch,
    )
    discriminator.requires_grad_(False)
    blocks = [_block(meter, network, i, part, profile) for i in range(len(BLOCKS))]
    blocks.append(_last(meter, network, part, profile))
    kept = sum(block.kept for block in blocks)
    judged = _judged(meter, training, part, kept)
    discriminator.requires_grad_(True)
    judged.append(_discriminator_step(meter, training, part))
    before = 0
    for name, stays, needed, _ in blocks:
        found.works.append(Work(name, stays, needed, constant + before + needed))
        before += stays
    found.works.extend(Work(*work[:3], constant + work.total) for work in judged)
    return found


def _block(meter: Meter, network: ImageGenerator, number: int, part: Part, profile: Profile) -> Work:
    step = STEPS[number]
    small = part.batch.picture[:, :, ::step, ::step]
    count, _, height, width = small.shape
    x = None
    if number:
        x = profile.laid_out(torch.empty(count, BLOCKS[number - 1][2], height // 2, width // 2)).requires_grad_()
    small = profile.laid_out(small)
    noise = planes(network, number, small, _Silent())
    run = profile.kept_small(through_block(network, number))
    return _there_and_back(meter, BLOCKS[number][0], lambda: run(x, small, part.labels[number], noise), profile)


def _last(meter: Meter, network: ImageGenerator, part: Part, profile: Profile) -> Work:
    count, _, height, width = part.batch.picture.shape
    x = profile.laid_out(torch.empty(count, BLOCKS[-1][2], height, width)).requires_grad_()
    return _there_and_back(meter, "conv_img", lambda: finished(network, x, profile), profile)


def _there_and_back(meter: Meter, name: str, work: Callable[[], Tensor], profile: Profile) -> Work:
    start = meter.now
    with profile.autocast(torch.device("cpu")):
        made = work()
    kept = meter.now - start
    _, needed = meter.most(lambda: made.backward(torch.empty_like(made)))
    return Work(name, kept, kept + needed, 0)


def _judged(meter: Meter, training: GeneratorTraining, part: Part, drawn: int) -> list[Work]:
    """The losses of the generator's step, on top of what the drawing keeps."""
    picture = torch.empty_like(part.batch.image).requires_grad_()
    works, graphs, others = [], [], 0
    start = meter.now
    losses = training.losses(part, picture)
    for name in ("perceptual network", "discriminator"):
        terms, needed = meter.most(lambda: next(losses))
        loss = torch.stack(list(terms.values())).sum()
        del terms
        kept = meter.now - start - others
        if training.profile.apart:
            _, back = meter.most(loss.backward)
            needed = max(needed, kept + back)
        else:
            graphs.append(loss)
        works.append(Work(name, kept, needed, drawn + others + needed))
        others = meter.now - start
    return works


def _discriminator_step(meter: Meter, training: GeneratorTraining, part: Part) -> Work:
    def work() -> None:
        for terms in training.discriminator_losses(part, torch.empty_like(part.batch.image)):
            torch.stack(list(terms.values())).sum().backward()

    _, needed = meter.most(work)
    return Work("discriminator's step", 0, needed, needed)


def _labels(count: int, height: int, width: int, profile: Profile) -> Labels:
    if not profile.lookup:
        return torch.empty(count, IMAGE_LABELS, height, width)
    large, small = min(NEIGHBOURHOODS, height * width), min(SMALL_NEIGHBOURHOODS, height * width)
    return Rows(
        torch.zeros(count, height, width, dtype=torch.long),
        tuple(large * (number + 1) for number in range(count)),
        torch.zeros(count * large, 9, dtype=torch.long),
        torch.zeros(count * small, 9, dtype=torch.long),
    )


class _Silent(Noise):
    def __init__(self) -> None:
        super().__init__(0)

    def draw(self, x: Tensor) -> Tensor:
        """(N, 1, h, w)"""
        return x.new_zeros(x.shape[0], 1, *x.shape[2:])


class _Still:
    """A stepper that takes no steps."""

    def scaled(self, loss: Tensor) -> Tensor:
        return loss

    def step(self) -> None:
        pass


def _learning(name: str, network: nn.Module, profile: Profile, betas: tuple[float, float]) -> Network:
    size = _bytes(network.parameters())
    states = size if profile.second_moment and betas[0] == 0 else 2 * size
    return Network(name, size + _bytes(network.buffers()), size, states)


def _frozen(name: str, network: nn.Module) -> Network:
    return Network(f"{name}, frozen", _bytes(network.state_dict().values()), 0, 0)


def _with_gradients(*networks: nn.Module) -> None:
    """They are counted as if they were there all the time."""
    for network in networks:
        for parameter in network.parameters():
            parameter.grad = torch.empty_like(parameter)


def _constant(found: Budget) -> int:
    return sum(sum(network[1:]) for network in found.networks)


def _bytes(tensors: object) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)  # type: ignore[attr-defined]


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f}" if size else ""
