"""The network: a transformer that says how the pixels of a noisy picture flow towards the dressed person.

Attributes carry the names of the published arrays, so that the official file loads as it is. `txt_...` is the garment's stream.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TIME_WAVES = 128
"""Frequencies that a time is told in, each as cosine and sine."""


class Shape(NamedTuple):
    """How large the network is; the defaults are the published one."""

    height: int = 864
    width: int = 576
    patch: int = 12
    hidden: int = 1280
    heads: int = 10
    axes: tuple[int, int, int] = (16, 56, 56)
    """Channels of a head that are turned by a token's place on three axes, of which the first is always 0."""
    theta: float = 10000.0
    mixers: int = 4
    doubles: int = 8
    singles: int = 16
    mlp_ratio: int = 4
    categories: int = 3
    """Those that there are; 0 is none."""

    @property
    def tokens(self) -> int:
        """Of one picture."""
        return (self.height // self.patch) * (self.width // self.patch)


class Conditions(NamedTuple):
    """What the picture is to show, each in -1..1 with B samples."""

    person: Tensor
    """(B, 3, H, W)"""
    person_pose: Tensor
    """(B, 1, H, W), the drawing of `pose.py`."""
    garment: Tensor
    """(B, 3, H, W)"""
    garment_pose: Tensor
    """(B, 1, H, W)"""
    category: Tensor
    """(B), whole numbers; 0 for none."""


class Modulations(NamedTuple):
    """Shifts, scales and gates of every block at one time and category: (B, 3h), (B, 6h) and (B, 2h) each."""

    mixers: tuple[Tensor, ...]
    doubles: tuple[tuple[Tensor, Tensor], ...]
    """Of the person's stream, and of the garment's."""
    singles: tuple[Tensor, ...]
    final: Tensor


def nothing_of(conditions: Conditions) -> Conditions:
    """Grey pictures and no category: what guidance leads away from."""
    return Conditions(*(torch.zeros_like(each) for each in conditions))


class Embedder(nn.Module):
    """Patches to tokens."""

    def __init__(self, channels: int, hidden: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, hidden, patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, N, h), row by row."""
        return self.proj(x).flatten(2).transpose(1, 2)


class Mlp(nn.Module):
    """Of the time."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.in_layer = nn.Linear(2 * TIME_WAVES, hidden)
        self.out_layer = nn.Linear(hidden, hidden)


class TimeEmbedder(nn.Module):
    """A time of 0..1 to a vector."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.mlp = Mlp(hidden)

    def forward(self, time: Tensor) -> Tensor:
        """(B) to (B, h)."""
        steps = torch.arange(TIME_WAVES, dtype=torch.float32, device=time.device)
        angles = 1000 * time.float()[:, None] * torch.exp(-math.log(10000) * steps / TIME_WAVES)
        waves = torch.cat((angles.cos(), angles.sin()), 1).to(self.mlp.in_layer.weight.dtype)
        return self.mlp.out_layer(F.silu(self.mlp.in_layer(waves)))


class Modulation(nn.Module):
    """The vector of time and category to shifts, scales and gates."""

    def __init__(self, hidden: int, parts: int) -> None:
        super().__init__()
        self.lin = nn.Linear(hidden, parts * hidden)

    def forward(self, vector: Tensor) -> Tensor:
        return self.lin(F.silu(vector))


class Scale(nn.Module):
    """Normalises over the last axis by the root of its mean square, in float32."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), x.shape[-1:], eps=1e-6).to(x.dtype) * self.scale


class QueryKeyNorm(nn.Module):
    """Of queries and keys."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.query_norm = Scale(size)
        self.key_norm = Scale(size)


class Attention(nn.Module):
    """The layers of one stream's half of a joint attention."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.norm = QueryKeyNorm(hidden // heads)
        self.proj = nn.Linear(hidden, hidden)


class SingleBlock(nn.Module):
    """Attention and MLP side by side, over one sequence."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        hidden, wide = shape.hidden, shape.mlp_ratio * shape.hidden
        self.heads, self.hidden = shape.heads, hidden
        self.linear1 = nn.Linear(hidden, 3 * hidden + wide)
        self.linear2 = nn.Linear(hidden + wide, hidden)
        self.norm = QueryKeyNorm(hidden // shape.heads)
        self.modulation = Modulation(hidden, 3)

    def forward(self, x: Tensor, modulation: Tensor, turns: Turns) -> Tensor:
        """x: (B, N, h)."""
        shift, scale, gate = modulation[:, None].chunk(3, -1)
        y = self.linear1(modulated(x, shift, scale))
        query, key, value = heads_of(y[..., : 3 * self.hidden], self.heads, self.norm, turns)
        seen = joined(F.scaled_dot_product_attention(query, key, value))
        wide = F.gelu(y[..., 3 * self.hidden :], approximate="tanh")
        return x + gate * self.linear2(torch.cat((seen, wide), -1))

    def of_the_last(self, x: Tensor, count: int, modulation: Tensor, turns: Turns) -> Tensor:
        """The same for the last `count` tokens only: the others are looked at, but not carried on."""
        shift, scale, gate = modulation[:, None].chunk(3, -1)
        hidden, y = self.hidden, modulated(x, shift, scale)
        weight, bias = self.linear1.weight, self.linear1.bias
        keys_values = F.linear(y[:, :-count], weight[hidden : 3 * hidden], bias[hidden : 3 * hidden])
        last = self.linear1(y[:, -count:])
        key, value = torch.cat((keys_values, last[..., hidden : 3 * hidden]), 1).chunk(2, -1)
        query = turns.last(count)(self.norm.query_norm(split(last[..., :hidden], self.heads)))
        key = turns(self.norm.key_norm(split(key, self.heads)))
        seen = joined(F.scaled_dot_product_attention(query, key, split(value, self.heads)))
        wide = F.gelu(last[..., 3 * hidden :], approximate="tanh")
        return x[:, -count:] + gate * self.linear2(torch.cat((seen, wide), -1))


class DoubleBlock(nn.Module):
    """Person and garment, each with layers of its own, and one attention over both."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        hidden, wide = shape.hidden, shape.mlp_ratio * shape.hidden
        self.heads = shape.heads
        self.img_mod, self.txt_mod = Modulation(hidden, 6), Modulation(hidden, 6)
        self.img_attn, self.txt_attn = Attention(hidden, shape.heads), Attention(hidden, shape.heads)
        self.img_mlp, self.txt_mlp = (
            nn.Sequential(nn.Linear(hidden, wide), nn.GELU("tanh"), nn.Linear(wide, hidden)) for _ in range(2)
        )

    def forward(
        self, person: Tensor, garment: Tensor, modulation: tuple[Tensor, Tensor], turns: Turns
    ) -> tuple[Tensor, Tensor]:
        """person, garment: (B, N, h) each. turns: of one picture, whose places the other shares."""
        of_person, of_garment = (each[:, None].chunk(6, -1) for each in modulation)
        mine = self._heads(person, self.img_attn, of_person, turns)
        its = self._heads(garment, self.txt_attn, of_garment, turns)
        query, key, value = (torch.cat(both, 2) for both in zip(its, mine, strict=True))
        seen = joined(F.scaled_dot_product_attention(query, key, value))
        count = garment.shape[1]
        return (
            _carried(person, seen[:, count:], self.img_attn, self.img_mlp, of_person),
            _carried(garment, seen[:, :count], self.txt_attn, self.txt_mlp, of_garment),
        )

    def _heads(
        self, x: Tensor, attention: Attention, parts: tuple[Tensor, ...], turns: Turns
    ) -> tuple[Tensor, Tensor, Tensor]:
        return heads_of(attention.qkv(modulated(x, parts[0], parts[1])), self.heads, attention.norm, turns)


def _carried(x: Tensor, seen: Tensor, attention: Attention, mlp: nn.Module, parts: tuple[Tensor, ...]) -> Tensor:
    _, _, gate, shift, scale, second_gate = parts
    x = x + gate * attention.proj(seen)
    return x + second_gate * mlp(modulated(x, shift, scale))


class FinalLayer(nn.Module):
    """Tokens to the pixels of their patches."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.linear = nn.Linear(shape.hidden, 3 * shape.patch**2)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(shape.hidden, 2 * shape.hidden))

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        shift, scale = modulation[:, None].chunk(2, -1)
        return self.linear(modulated(x, shift, scale))


class Network(nn.Module):
    """Velocity of a noisy picture, from its time and the conditions."""

    def __init__(self, shape: Shape = Shape()) -> None:  # noqa: B008, a tuple
        super().__init__()
        self.shape = shape
        self.patch_mixer_token = nn.Parameter(torch.zeros(1, 1, 3 * shape.patch**2))  # in the file, and never used
        self.t_embedder = TimeEmbedder(shape.hidden)
        self.y_embedder = nn.Embedding(shape.categories + 1, shape.hidden)
        self.x_embedder = Embedder(7, shape.hidden, shape.patch)
        self.garment_embedder = Embedder(4, shape.hidden, shape.patch)
        self.x_patch_mixer = nn.ModuleList(SingleBlock(shape) for _ in range(shape.mixers))
        self.double_blocks = nn.ModuleList(DoubleBlock(shape) for _ in range(shape.doubles))
        self.single_blocks = nn.ModuleList(SingleBlock(shape) for _ in range(shape.singles))
        self.final_layer = FinalLayer(shape)

    def modulations(self, time: Tensor, category: Tensor) -> Modulations:
        """Of all blocks, from time and category, (B) each. They depend on nothing else."""
        vector = self.t_embedder(time) + self.y_embedder(category)
        return Modulations(
            tuple(block.modulation(vector) for block in self.x_patch_mixer),
            tuple((block.img_mod(vector), block.txt_mod(vector)) for block in self.double_blocks),
            tuple(block.modulation(vector) for block in self.single_blocks),
            self.final_layer.adaLN_modulation(vector),
        )

    def embedded_garment(self, conditions: Conditions) -> Tensor:
        """(B, N, h)"""
        return self.garment_embedder(torch.cat((conditions.garment, conditions.garment_pose), 1))

    def forward(self, x: Tensor, conditions: Conditions, modulations: Modulations) -> Tensor:
        """Velocity (B, 3, H, W) of x, alike."""
        count = self.shape.tokens
        turns = Turns.of(self.shape, x.device)
        person = self.x_embedder(torch.cat((x, conditions.person, conditions.person_pose), 1))
        for mixer, modulation in zip(self.x_patch_mixer, modulations.mixers, strict=True):
            person = mixer(person, modulation, turns)
        garment = self.embedded_garment(conditions)
        for double, pair in zip(self.double_blocks, modulations.doubles, strict=True):
            person, garment = double(person, garment, pair, turns)
        both, twice = torch.cat((garment, person), 1), turns.twice()
        for single, modulation in zip(self.single_blocks[:-1], modulations.singles[:-1], strict=True):
            both = single(both, modulation, twice)
        person = self.single_blocks[-1].of_the_last(both, count, modulations.singles[-1], twice)
        return self._pixels(self.final_layer(person, modulations.final))

    def _pixels(self, patches: Tensor) -> Tensor:
        """(B, N, 3pp), ordered channel, row, column, to (B, 3, H, W)."""
        height, width, patch = self.shape.height, self.shape.width, self.shape.patch
        return F.fold(patches.transpose(1, 2), (height, width), patch, stride=patch)


class Turns:
    """How far each pair of channels of a query or key is turned, by its token's place."""

    def __init__(self, cos: Tensor, sin: Tensor) -> None:
        self.cos, self.sin = cos, sin

    @classmethod
    def of(cls, shape: Shape, device: torch.device) -> Turns:
        """Of the tokens of one picture."""
        rows, columns = shape.height // shape.patch, shape.width // shape.patch
        row, column = (
            each.flatten() for each in torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        )
        angles = []
        for place, size in zip((torch.zeros_like(row), row, column), shape.axes, strict=True):
            speeds = shape.theta ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
            angles.append(place.double()[:, None] * speeds)
        all_angles = torch.cat(angles, 1)
        return cls(all_angles.cos().float().to(device), all_angles.sin().float().to(device))

    def __call__(self, x: Tensor) -> Tensor:
        """x: (B, heads, N, d)."""
        u, v = x.float().unflatten(-1, (-1, 2)).unbind(-1)
        return torch.stack((u * self.cos - v * self.sin, u * self.sin + v * self.cos), -1).flatten(-2).to(x.dtype)

    def twice(self) -> Turns:
        """Of two pictures, one after the other: they share the places."""
        return Turns(torch.cat((self.cos, self.cos)), torch.cat((self.sin, self.sin)))

    def last(self, count: int) -> Turns:
        """Of the last tokens only."""
        return Turns(self.cos[-count:], self.sin[-count:])


def modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Normalised over the channels, then scaled and shifted."""
    return torch.addcmul(shift, F.layer_norm(x, x.shape[-1:], eps=1e-6), 1 + scale)


def heads_of(qkv: Tensor, heads: int, norm: QueryKeyNorm, turns: Turns) -> tuple[Tensor, Tensor, Tensor]:
    """(B, N, 3h) to query, key and value, (B, heads, N, d) each."""
    query, key, value = (split(part, heads) for part in qkv.chunk(3, -1))
    return turns(norm.query_norm(query)), turns(norm.key_norm(key)), value


def split(x: Tensor, heads: int) -> Tensor:
    """(B, N, h) to (B, heads, N, d)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def joined(x: Tensor) -> Tensor:
    """(B, heads, N, d) to (B, N, h)."""
    return x.transpose(1, 2).flatten(2)
