"""Train the network that tells tops, trousers, skirts and dresses apart by their outline, from garments that it draws.

.venv/bin/python -m scripts.garment_outlines out/outlines.npz            draws 40,000 garments to learn from, and 5,000 others
.venv-torch2/bin/python -m scripts.train_category out/outlines.npz       five minutes; says how many of the others it gets right
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

from services.category.engines.outline.network import CONVOLUTIONS, FILE, SIDE, likelihoods
from stagekit.kinds import CATEGORIES

CHANNELS, HIDDEN = (10, 20, 32), 48
EPOCHS = 14
BATCH = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("outlines", type=Path, help="that scripts.garment_outlines drew")
    parser.add_argument("--output", type=Path, default=FILE, help="default %(default)s")
    wanted = parser.parse_args()
    with np.load(wanted.outlines) as drawn:
        pictures, labels, others, their_labels = (
            drawn[name] for name in ("pictures", "labels", "others", "their_labels")
        )
    network = train(pictures, labels)
    np.savez_compressed(wanted.output, **{name: numbers.astype(np.float16) for name, numbers in network.items()})
    network = {name: numbers.astype(np.float16).astype(np.float32) for name, numbers in network.items()}
    found = likelihoods(network, others.astype(np.float32) / 255 - 0.5).argmax(axis=1)
    for label, category in enumerate(CATEGORIES):
        told = ", ".join(
            f"{np.mean(found[their_labels == label] == i):.3f} {name}" for i, name in enumerate(CATEGORIES)
        )
        print(f"{category}: {told}")
    print(f"right of {len(others)} others: {np.mean(found == their_labels):.4f}")


def train(pictures: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """By AdamW, on each garment or its mirror image; half of the hidden layer is left out at random."""
    torch.manual_seed(0)
    layers, inputs = [], 1
    for channels in CHANNELS:
        layers += [nn.Conv2d(inputs, channels, 5, stride=2, padding=2), nn.ReLU()]
        inputs = channels
    side = SIDE // 2 ** len(CHANNELS)
    layers += [nn.Flatten(), nn.Linear(inputs * side * side, HIDDEN), nn.ReLU()]
    layers += [nn.Dropout(0.5), nn.Linear(HIDDEN, len(CATEGORIES))]
    network = nn.Sequential(*layers)
    steps = EPOCHS * (len(labels) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.03)  # nothing is certain
    x, y = torch.from_numpy(pictures), torch.from_numpy(labels)
    for epoch in range(EPOCHS):
        losses = []
        for batch in torch.randperm(len(y))[: steps // EPOCHS * BATCH].split(BATCH):
            seen = x[batch].float() / 255 - 0.5
            mirrored = torch.rand(len(seen)) < 0.5
            seen[mirrored] = seen[mirrored].flip(2)
            loss = loss_of(network(seen[:, None]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {np.mean(losses):.4f}", flush=True)
    learned = [layer for layer in network if isinstance(layer, (nn.Conv2d, nn.Linear))]
    names = (*CONVOLUTIONS, "hidden", "scores")
    weights = {name: layer.weight.detach().numpy() for name, layer in zip(names, learned, strict=True)}
    return weights | {f"{name}_bias": layer.bias.detach().numpy() for name, layer in zip(names, learned, strict=True)}


if __name__ == "__main__":
    main()
