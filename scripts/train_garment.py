"""Train the garment parser on garments that are drawn while it learns.

make train-garment                                                            on the processor, an hour
python3 -m scripts.train_garment OUT --minutes 8 --garments 150000 --batch 128    on a GPU with some cores beside it

Writes the network as ONNX, and as numbers that --start goes on from. The one in the package took 4 minutes on an H100 and 16
cores (48,000 garments from seed 0, an earlier state of the drawings), then 6.5 with `--start garment.npz --rate 2.5e-3 --first
1000000` (64,000 more). Needs Torch, ONNX, OpenCV.
"""

import argparse
import multiprocessing
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from garment_parser.parts import CATEGORIES, HEIGHT, LANDMARKS, PAIRS, PARTS, SLEEVES, WIDTH
from scripts.garment_pictures import draw

CHANNELS = (16, 32, 48, 64, 96, 128)
TOLD = len(LANDMARKS) + len(CATEGORIES) + len(SLEEVES)
"""Of the whole garment: which landmarks it has, its category, its sleeves."""
SIGMA = 1.6
"""Pixels by which a landmark's place is spread for the loss."""
SHARD = 16
OTHERS = 1600
UNSEEN = 100_000_000
"""Seeds from here on are for the last test."""

Batch = tuple[torch.Tensor, ...]


class GarmentParser(nn.Module):
    """(B, 4, HEIGHT, WIDTH) of RGB and mask, -1..1 -> scores of parts (B, 10, H, W), of landmarks (B, 22, H, W), and of the
    whole (B, TOLD).

    A U-Net (Ronneberger et al., MICCAI 2015) with batch norm, narrow and deep: the coarsest level sees all of the garment.
    """

    def __init__(self) -> None:
        super().__init__()
        ins = (4, *CHANNELS)
        self.down = nn.ModuleList(_two(a, b) for a, b in zip(ins, CHANNELS, strict=False))
        self.up = nn.ModuleList(_two(a + b, b) for a, b in zip(CHANNELS[:0:-1], CHANNELS[-2::-1], strict=True))
        self.parts = nn.Conv2d(CHANNELS[0], len(PARTS), 1)
        self.landmarks = nn.Conv2d(CHANNELS[0], len(LANDMARKS), 1)
        self.told = nn.Sequential(nn.Linear(2 * CHANNELS[-1], 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, TOLD))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        levels = []
        for index, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if index else x)
            levels.append(x)
        whole = self.told(torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1))
        for block, level in zip(self.up, levels[-2::-1], strict=True):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, level], dim=1))
        return self.parts(x), self.landmarks(x), whole


def _two(ins: int, outs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (ins, outs):
        layers += [nn.Conv2d(channels, outs, 3, padding=1, bias=False), nn.BatchNorm2d(outs), nn.ReLU()]
    return nn.Sequential(*layers)


def loss_of(found: tuple[torch.Tensor, ...], batch: Batch) -> torch.Tensor:
    """Cross-entropy of parts, of the landmarks' places, of category and sleeves; binary of which landmarks there are."""
    parts, places, whole = (each.float() for each in found)
    _, _, labels, landmarks, kinds = batch
    there = landmarks[..., 2] > 0
    loss = functional.cross_entropy(parts, labels.long())
    soft = functional.log_softmax(places.flatten(2), dim=2)
    x, y = torch.arange(WIDTH, device=parts.device), torch.arange(HEIGHT, device=parts.device)
    across, down = (
        torch.exp(-((grid - landmarks[..., axis, None]) ** 2) / (2 * SIGMA**2)) for axis, grid in ((0, x), (1, y))
    )
    target = (down[..., :, None] * across[..., None, :]).flatten(2)
    target = target / target.sum(dim=2, keepdim=True).clamp(min=1e-6)
    loss = loss + 0.1 * (-(target * soft).sum(dim=2) * there).sum() / there.sum().clamp(min=1)
    count = len(LANDMARKS)
    loss = loss + functional.binary_cross_entropy_with_logits(whole[:, :count], there.float())
    loss = loss + 0.5 * functional.cross_entropy(
        whole[:, count : count + len(CATEGORIES)], kinds[:, 0].long(), label_smoothing=0.03
    )
    sleeved = whole[:, count + len(CATEGORIES) :]
    return loss + 0.5 * functional.cross_entropy(sleeved, kinds[:, 1].long(), ignore_index=-1, label_smoothing=0.03)


def drawn(first: int) -> list[np.ndarray]:
    """A shard from one seed on: pictures, masks, parts, landmarks, kinds (category and sleeves)."""
    samples = [draw(first + index) for index in range(SHARD)]
    return [
        np.stack([sample.picture.transpose(2, 0, 1) for sample in samples]),
        np.stack([sample.mask for sample in samples]),
        np.stack([sample.parts for sample in samples]),
        np.stack([sample.landmarks for sample in samples]),
        np.array([(sample.category, sample.sleeves) for sample in samples], np.int8),
    ]


class Pool:
    """Garments in the device's memory; grows while others learn from it."""

    def __init__(self, room: int, device: torch.device) -> None:
        of = {"dtype": torch.uint8, "device": device}
        self.filled = 0
        self._all = (
            torch.empty((room, 3, HEIGHT, WIDTH), **of),
            torch.empty((room, HEIGHT, WIDTH), **of),
            torch.empty((room, HEIGHT, WIDTH), **of),
            torch.empty((room, len(LANDMARKS), 3), device=device),
            torch.empty((room, 2), dtype=torch.int8, device=device),
        )

    def fill(self, shards: Iterator[list[np.ndarray]]) -> None:
        for shard in shards:
            for store, values in zip(self._all, shard, strict=True):
                store[self.filled : self.filled + SHARD] = torch.from_numpy(values).to(store.device)
            self.filled += SHARD

    def batch(self, size: int) -> Batch:
        picked = torch.randint(self.filled, (size,), device=self._all[0].device)
        return tuple(store[picked] for store in self._all)

    def batches(self, size: int) -> Iterator[Batch]:
        for first in range(0, self.filled, size):
            yield tuple(store[first : min(first + size, self.filled)] for store in self._all)


SWAPPED = {
    "left_sleeve": "right_sleeve",
    "right_sleeve": "left_sleeve",
    "left_leg": "right_leg",
    "right_leg": "left_leg",
}


def varied(batch: Batch) -> Batch:
    """Half of them mirrored, left and right exchanged; in other light, other colours, and here and there without them."""
    pictures, masks, parts, landmarks, kinds = batch
    device = pictures.device
    flip = torch.rand(len(masks), device=device) < 0.5
    pictures, masks = (torch.where(_like(flip, each), each.flip(-1), each) for each in (pictures, masks))
    table = torch.tensor([PARTS.index(SWAPPED.get(part, part)) for part in PARTS], device=device, dtype=torch.uint8)
    parts = torch.where(_like(flip, parts), table[parts.flip(-1).long()], parts)
    order = torch.tensor(
        [index ^ 1 if index < 2 * len(PAIRS) else index for index in range(len(LANDMARKS))], device=device
    )
    other = landmarks[:, order].clone()
    other[..., 0] = WIDTH - 1 - other[..., 0]
    landmarks = torch.where(_like(flip, landmarks), other, landmarks)
    light = pictures.float() / 255
    gain = 1 + 0.12 * torch.randn((len(light), 3, 1, 1), device=device)
    light = (light * gain).clamp(0, 1) ** torch.exp(0.25 * torch.randn((len(light), 1, 1, 1), device=device))
    swap = torch.randperm(3, device=device)
    light = light[:, swap]
    grey = torch.rand((len(light), 1, 1, 1), device=device) < 0.1
    light = torch.where(grey, light.mean(dim=1, keepdim=True).expand_as(light), light)
    return (light * 255).round().to(torch.uint8), masks, parts, landmarks, kinds


def _like(flags: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return flags.view(-1, *[1] * (values.dim() - 1))


def seen(batch: Batch) -> torch.Tensor:
    """What the network gets."""
    return torch.cat([batch[0].float(), batch[1][:, None].float()], dim=1) / 127.5 - 1


def train(network: nn.Module, pool: Pool, minutes: float, size: int, rate: float) -> None:
    """AdamW, a short warm-up, then a cosine, over the time that there is."""
    device = next(network.parameters()).device
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    began, told, step, losses = time.monotonic(), 0.0, 0, []
    while (spent := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 200) * (0.5 + 0.5 * np.cos(np.pi * spent)) + 1e-5
        batch = varied(pool.batch(size))
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            found = network(seen(batch).contiguous(memory_format=torch.channels_last))
        loss = loss_of(found, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        losses.append(loss.detach())
        step += 1
        if spent - told > 0.04:
            told = spent
            print(
                f"{spent:4.0%}  step {step}, {pool.filled} garments, loss {torch.stack(losses).mean():.4f}", flush=True
            )
            losses = []


@torch.no_grad()
def tested(network: nn.Module, pool: Pool) -> None:
    """Say how well it does on garments that it did not learn from."""
    network.eval()
    overlap, union = torch.zeros(len(PARTS)), torch.zeros(len(PARTS))
    errors: list[list[float]] = [[] for _ in LANDMARKS]
    right = {"landmarks there": [], "category": [], "sleeves": []}
    for batch in pool.batches(32):
        parts, places, whole = network(seen(batch))
        found, count = parts.argmax(dim=1), len(LANDMARKS)
        for index in range(len(PARTS)):
            one, other = found == index, batch[2] == index
            overlap[index] += (one & other).sum().cpu()
            union[index] += (one | other).sum().cpu()
        there = batch[3][..., 2] > 0
        peaks = places.flatten(2).argmax(dim=2)
        away = torch.stack([peaks % WIDTH, peaks // WIDTH], dim=2) - batch[3][..., :2]
        for index in range(count):
            errors[index] += away.norm(dim=2)[:, index][there[:, index]].tolist()
        right["landmarks there"] += ((whole[:, :count] > 0) == there).float().mean(dim=1).tolist()
        kinds = (
            whole[:, count : count + len(CATEGORIES)].argmax(dim=1),
            whole[:, count + len(CATEGORIES) :].argmax(dim=1),
        )
        right["category"] += (kinds[0] == batch[4][:, 0]).float().tolist()
        sleeved = batch[4][:, 1] >= 0
        right["sleeves"] += (kinds[1] == batch[4][:, 1])[sleeved].float().tolist()
    print(
        "IoU: "
        + ", ".join(f"{part} {share:.3f}" for part, share in zip(PARTS, overlap / union.clamp(min=1), strict=True))
    )
    for name, each in zip(LANDMARKS, errors, strict=True):
        print(f"{name}: pixels away {np.median(each):.1f} in the median, {np.percentile(each, 90):.1f} at 90 %")
    print("right: " + ", ".join(f"{name} {np.mean(each):.4f}" for name, each in right.items()))


def save(network: nn.Module, folder: Path) -> None:
    """garment.npz to go on from, and garment.onnx."""
    folder.mkdir(parents=True, exist_ok=True)
    network = network.cpu().float().eval()
    np.savez(folder / "garment.npz", **{name: values.numpy() for name, values in network.state_dict().items()})
    told = {"input_names": ["picture"], "output_names": ["parts", "landmarks", "whole"], "opset_version": 17}
    torch.onnx.export(network, (torch.zeros(1, 4, HEIGHT, WIDTH),), folder / "garment.onnx", dynamo=False, **told)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path, help="folder")
    parser.add_argument("--minutes", type=float, default=60, help="of training (default %(default)s)")
    parser.add_argument("--garments", type=int, default=20_000, help="to learn from, at most (default %(default)s)")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-3, help="of learning, at its highest (default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first garment")
    parser.add_argument("--start", type=Path, help="garment.npz of an earlier training to go on from")
    parser.add_argument("--workers", type=int, default=max(1, (multiprocessing.cpu_count() or 2) - 1))
    wanted = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    network = GarmentParser()
    if wanted.start:
        with np.load(wanted.start) as numbers:
            network.load_state_dict({name: torch.from_numpy(numbers[name]) for name in numbers.files})
    network = network.to(device, memory_format=torch.channels_last)
    print(f"{sum(values.numel() for values in network.parameters())} parameters on {device}", flush=True)
    pool, others = Pool(wanted.garments // SHARD * SHARD, device), Pool(OTHERS, device)
    with multiprocessing.get_context("spawn").Pool(wanted.workers) as workers:
        others.fill(workers.imap_unordered(drawn, range(UNSEEN, UNSEEN + OTHERS, SHARD)))
        seeds = range(wanted.first, wanted.first + wanted.garments // SHARD * SHARD, SHARD)
        filling = threading.Thread(target=pool.fill, args=[workers.imap_unordered(drawn, seeds)], daemon=True)
        filling.start()
        while filling.is_alive() and pool.filled < min(4096, wanted.garments // 4):
            time.sleep(0.2)
        if pool.filled < min(4096, wanted.garments // 4):
            raise SystemExit("Drawing garments failed: see above.")
        train(network, pool, wanted.minutes, wanted.batch, wanted.rate)
    tested(network, others)
    save(network, wanted.output)


if __name__ == "__main__":
    main()
