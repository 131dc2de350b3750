"""The image generator again, the fast way on a CPU: the same numbers in a fraction of the time.

Four fifths of the published network's work are SPADE's scale and shift, convolutions of a one-hot label map. They depend
only on a pixel's 5 x 5 labels, of which a real map has about 2,000 different ones: each is evaluated once and looked up.
Kernels are normalised once, at load. Pictures are rows of pixels with their channels side by side (channels-last), worked
on in bands of rows that fit a core's cache: enlarging, appending features, noise, normalising, modulating, activating and
convolving follow on each other without the whole picture being written in between.
"""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor
from torch.nn import functional as F

from services.tryon.engines.hr_viton.bands import BAND_BYTES, Kernel, Mix, Window
from services.tryon.engines.hr_viton.crew import Crew
from services.tryon.engines.hr_viton.generator import BLOCKS, COARSEST, SLOPE, ImageGenerator, Noise, SpadeBlock
from services.tryon.engines.hr_viton.modulation import Moments, Norm, Table, sums
from services.tryon.engines.hr_viton.neighbourhoods import Neighbourhoods

SMALL = 4000
"""Up to so many pixels, a picture's convolutions are shared out by outputs; above, by rows."""


class FastGenerator:
    """Does what ImageGenerator does, for one picture, in float32 or with its convolutions in bfloat16."""

    def __init__(self, generator: ImageGenerator, precision: torch.dtype = torch.float32) -> None:
        """precision: of the convolutions' kernels and inputs; statistics and modulation are float32 in any case."""
        self._precision = precision
        self._features = [Kernel.of(getattr(generator, "conv_%d" % i), precision) for i in range(len(BLOCKS))]
        self._blocks = [_Block(getattr(generator, name), precision) for name, _, _ in BLOCKS]
        self._last = Kernel.of(generator.conv_img, precision)

    def __call__(self, picture: Tensor, parse: Tensor, seed: int = 0) -> Tensor:
        """picture: (1, 9, H, W) in -1..1; parse: (1, H, W) ids 0..6; H and W multiples of 128. (1, 3, H, W) in -1..1."""
        noise = Noise(seed)
        pixels = picture[0].permute(1, 2, 0).to(self._precision)
        steps = [COARSEST >> i for i in range(len(BLOCKS))]
        x: Optional[Tensor] = None
        with Crew() as crew:
            hoods = crew.each(lambda step: Neighbourhoods(parse[0, ::step, ::step]), steps)
            for step, block, kernel, hood in zip(steps, self._blocks, self._features, hoods):
                features = _features(kernel, pixels[::step, ::step], crew)
                x = block(_Enlarged(x, features), hood, noise, crew)
            image = self._draw(x, crew)
        return image.permute(2, 0, 1).unsqueeze(0)

    def _draw(self, x: Tensor, crew: Crew) -> Tensor:
        """tanh(conv_img(leaky_relu(x))) in float32: (H, W, 3)."""
        image = torch.empty(x.shape[0], x.shape[1], 3)

        def draw(rows: slice) -> None:
            window = Window(x.shape, rows, self._precision)
            for band in window:
                window.new.copy_(F.leaky_relu(x[band.new], SLOPE))
                torch.tanh(self._last(window.rows).float(), out=image[band.out])

        crew.split(draw, x.shape[0])
        return image


def _features(kernel: Kernel, pixels: Tensor, crew: Crew) -> Tensor:
    """The conditioning picture, (h, w, 9), through its convolution: (h, w, outputs)."""
    height, width, channels = pixels.shape
    if height * width <= SMALL:
        return kernel.whole(pixels.contiguous(), crew)
    made = pixels.new_empty(height, width, kernel.outputs)

    def work(rows: slice) -> None:
        window = Window((height, width, channels), rows, pixels.dtype)
        for band in window:
            window.new.copy_(pixels[band.new])
            made[band.out] = kernel(window.rows)

    crew.split(work, height)
    return made


class _Block:
    """SpadeBlock for pictures of (h, w, C)."""

    def __init__(self, block: SpadeBlock, precision: torch.dtype) -> None:
        self._precision = precision
        self._conv_0 = Kernel(block.conv_0.kernel(), block.conv_0.bias, precision)
        self._conv_1 = Kernel(block.conv_1.kernel(), block.conv_1.bias, precision)
        self._norms = [Norm(block.norm_0), Norm(block.norm_1)]
        self._conv_s: Optional[Mix] = None
        if block.learned:
            self._conv_s = Mix(block.conv_s.kernel(), precision)
            self._norms.insert(0, Norm(block.norm_s))

    def __call__(self, x: _Enlarged, hood: Neighbourhoods, noise: Noise, crew: Crew) -> Tensor:
        """(h, w, outputs) in float32. The noise is drawn in the published order: shortcut, first half, second half."""
        noises = torch.cat([noise.plane(1, x.height, x.width)[0] for _ in self._norms])
        tables = crew.each(lambda norm: norm.table(hood), self._norms)
        moments = x.moments(noises[:-1], crew)
        for i, table in enumerate(tables[:-1]):
            table.normalise(moments, i)
        if self._conv_s is None or x.height * x.width <= SMALL:
            return self._whole(x, tables, noises, crew)
        return self._in_bands(x, self._conv_s, tables, noises, crew)

    def _whole(self, x: _Enlarged, tables: list[Table], noises: Tensor, crew: Crew) -> Tensor:
        result = x.rows()
        everything = slice(0, x.height)
        if self._conv_s is not None:
            result = torch.empty(x.height, x.width, self._conv_1.outputs)
            self._conv_s(
                self._changed(x.plus(noises[0], tables[0].noise_scale, everything), tables[0], everything), result
            )
        noisy = x.plus(noises[-2], tables[-2].noise_scale, everything)
        dx = self._conv_0.whole(_activate(self._changed(noisy, tables[-2], everything)), crew)
        tables[-1].normalise(Moments.of(sums(dx, noises[-1:]), noises[-1:]), 0)
        noisy = _noisy(dx, noises[-1], tables[-1], everything)
        return result + self._conv_1.whole(_activate(self._changed(noisy, tables[-1], everything)), crew)

    def _in_bands(self, x: _Enlarged, conv_s: Mix, tables: list[Table], noises: Tensor, crew: Crew) -> Tensor:
        dx = torch.empty(x.height, x.width, self._conv_0.outputs, dtype=self._precision)
        result = torch.empty(x.height, x.width, self._conv_1.outputs)

        def first_half(rows: slice) -> Tensor:
            window = Window((x.height, x.width, x.channels), rows, self._precision)
            total = torch.zeros(3, dx.shape[2], dtype=torch.float64)
            for band in window:
                noisy = x.plus(noises[0], tables[0].noise_scale, band.out)
                conv_s(self._changed(noisy, tables[0], band.out), result[band.out])
                noisy = x.plus(noises[1], tables[1].noise_scale, band.new)
                _activate(self._changed(noisy, tables[1], band.new, window.new))
                made = self._conv_0(window.rows)
                total += sums(made, noises[2:, band.out])
                dx[band.out] = made
            return total

        def second_half(rows: slice) -> None:
            window = Window(dx.shape, rows, self._precision)
            for band in window:
                noisy = _noisy(dx, noises[2], tables[2], band.new)
                _activate(self._changed(noisy, tables[2], band.new, window.new))
                result[band.out] += self._conv_1(window.rows)

        total = sum(crew.split(first_half, x.height))
        tables[2].normalise(Moments.of(total, noises[2:]), 0)
        crew.split(second_half, x.height)
        return result

    def _changed(self, noisy: Tensor, table: Table, rows: slice, out: Optional[Tensor] = None) -> Tensor:
        """The rows normalised and modulated, in the convolutions' precision: in place of the noisy ones, or in out."""
        if noisy.dtype == self._precision:
            return table.modulate(noisy, rows, noisy if out is None else out)
        changed = table.modulate(noisy, rows, noisy)
        return changed.to(self._precision) if out is None else out.copy_(changed)


def _activate(x: Tensor) -> Tensor:
    return F.leaky_relu_(x, SLOPE)


def _noisy(dx: Tensor, noise: Tensor, table: Table, rows: slice) -> Tensor:
    return torch.addcmul(dx[rows].float(), noise[rows].unsqueeze(2), table.noise_scale)


class _Enlarged:
    """A block's input, never written as a whole: what the block before made, twice as large, and 16 features beside it."""

    def __init__(self, before: Optional[Tensor], features: Tensor) -> None:
        """before: (h/2, w/2, C), None for the first block; features: (h, w, 16)."""
        self.height, self.width = features.shape[:2]
        self._before, self._features = before, features.float()
        self._split = 0 if before is None else before.shape[2]
        self.channels = self._split + features.shape[2]

    def rows(self) -> Tensor:
        """The whole input of the first block."""
        return self._features

    def plus(self, noise: Tensor, scale: Tensor, rows: slice) -> Tensor:
        """The rows, with noise (h, w) times scale (C): (n, w, C)."""
        count, k = rows.stop - rows.start, self._split
        out = torch.empty(count, self.width, self.channels)
        here = noise[rows].unsqueeze(2)
        torch.addcmul(self._features[rows], here, scale[k:], out=out[..., k:])
        if self._before is not None:
            for first in range(min(2, count)):
                lines = out[first::2].view(-1, self.width // 2, 2, self.channels)[..., :k]
                start = (rows.start + first) // 2
                source = self._before[start : start + lines.shape[0]].unsqueeze(2)
                torch.addcmul(source, here[first::2].view(-1, self.width // 2, 2, 1), scale[:k], out=lines)
        return out

    def moments(self, noises: Tensor, crew: Crew) -> Moments:
        """Sums over the enlarged picture, with noises (k, h, w); the enlarged part's come from its small original."""
        right = _sums(self._features, noises, crew)
        if self._before is None:
            return Moments.of(right, noises)
        fourfold = noises.view(-1, self.height // 2, 2, self.width // 2, 2).sum((2, 4))
        left = _sums(self._before, fourfold, crew)
        left[:2] *= 4
        return Moments.of(torch.cat([left, right], 1), noises)


def _sums(x: Tensor, noises: Tensor, crew: Crew) -> Tensor:
    """`sums` of the whole picture, in bands."""
    step = max(1, BAND_BYTES // 4 // (x.shape[1] * x.shape[2]))

    def add(rows: slice) -> Tensor:
        bands = [slice(top, min(top + step, rows.stop)) for top in range(rows.start, rows.stop, step)]
        return sum(sums(x[band], noises[:, band]) for band in bands)

    return sum(crew.split(add, x.shape[0]))
