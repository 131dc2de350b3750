"""The table of layers as nodes of an ONNX model, with less arithmetic than the layers say and the same results.

Batch norms are folded into the convolutions before them. Wide convolutions take pixels as rows: those of 1 x 1 are products
of matrices, those of 3 x 3 are done in tiles with a quarter of the products. Convolutions over pyramid pooling take the
pooled pixels without enlarging them.
"""

from typing import Dict, Sequence, Set

import numpy as np

from services.human_parse.engines.cihp_pgn.layers import BATCH_NORM_EPSILON, POOL, POOL_STRIDE, Layer
from services.human_parse.engines.cihp_pgn.onnx_nodes import Nodes
from services.human_parse.engines.cihp_pgn.onnx_tiles import Tiles

Arrays = Dict[str, np.ndarray]

_WIDE = 256
"""Channels in and out from which rows and tiles are faster than ONNX Runtime's own convolutions."""

_LONG, _SPARE = 1024, 16
"""Rows of so many channels have so many columns of zeros behind them: at a distance of 4096 bytes they would take turns in
the same few places of the processor's first cache, and products with them would take a quarter longer."""


class Graph(Nodes):
    """A layer's tensor bears its name. It is images (1, channels, h, w) or, where convolutions are wide, rows (h w,
    channels), and turned into the other for a layer that wants it so. All rows are an eighth of the input's height and width.
    """

    def __init__(self, variables: Arrays) -> None:
        super().__init__()
        self._variables = dict(variables)
        self._in_rows: Set[str] = set()
        self._with_spare: Set[str] = set()
        self._tiles = Tiles(self, "rows:h", "rows:w")

    def fold(self, convolution: str, norm: str) -> None:
        """Make the variables of a convolution named `norm` that does both."""
        taken = (
            self._variables["%s/%s" % (norm, leaf)] for leaf in ("beta", "gamma", "moving_mean", "moving_variance")
        )
        beta, gamma, mean, variance = (values.astype(np.float64) for values in taken)
        factor = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        kernels = self._variables.pop(convolution + "/weights")
        self._variables[norm + "/weights"] = (kernels * factor).astype(np.float32)
        self._variables[norm + "/biases"] = beta - mean * factor

    def add(self, layer: Layer) -> None:
        if layer.op == "conv":
            self._any_convolution(layer)
        elif layer.op == "max_pool":
            self.node("MaxPool", (self.images(layer.inputs[0]),), layer.name, kernel_shape=[POOL] * 2,
                      strides=[POOL_STRIDE] * 2, auto_pad="SAME_UPPER")  # fmt: skip
        else:
            in_rows = not self._in_rows.isdisjoint(layer.inputs)
            inputs = [self._rows(name) if in_rows else name for name in layer.inputs]
            if in_rows:
                self._in_rows.add(layer.name)
            if layer.op == "concat":
                assert self._with_spare.isdisjoint(layer.inputs)
                self.node("Concat", inputs, layer.name, axis=1)
            else:
                self.node({"add": "Sum", "relu": "Relu"}[layer.op], inputs, layer.name)
                if not self._with_spare.isdisjoint(layer.inputs):
                    self._with_spare.add(layer.name)

    def add_over_pyramid(self, layer: Layer, source: str, pooled: Sequence[Layer]) -> None:
        """A 3 x 3 convolution of `source` and the enlarged layers `pooled` together."""
        kernels = self._kernels(layer)
        start = kernels.shape[1] - sum(pyramid.out for pyramid in pooled)
        biases = self._biases(layer)
        self._tiles.convolve(self._rows(source), kernels[:, :start], biases, 1, False, layer.name + ":source")
        parts = []
        for pyramid in pooled:
            parts.append(self._convolved_pyramid(pyramid, kernels[:, start : start + pyramid.out], layer.name))
            start += pyramid.out
        pyramids = self._rows(self.node("Sum", parts, layer.name + ":pyramids"))
        self.node("Add", (layer.name + ":source", pyramids), layer.name + ":0")
        self.node("Relu", (layer.name + ":0",), layer.name)
        self._in_rows.add(layer.name)

    def images(self, name: str) -> str:
        """The tensor (1, channels, h, w) of a layer."""
        assert name not in self._with_spare
        if name not in self._in_rows:
            return name
        made = name + ":images"
        if self.is_new(made):
            pixels = self.reshape(name, [1, "rows:h", "rows:w", -1], made + ":pixels")
            self.node("Transpose", (pixels,), made, perm=[0, 3, 1, 2])
        return made

    def _rows(self, name: str) -> str:
        """The tensor (h w, channels) of a layer, with spare columns where it has them."""
        if name in self._in_rows:
            return name
        made = name + ":rows"
        if self.is_new(made):
            if self.is_new("rows:h"):
                for axis, side in ((2, "rows:h"), (3, "rows:w")):
                    self.size(name, axis, side)
            self.node("Transpose", (name,), made + ":pixels", perm=[0, 2, 3, 1])
            self.reshape(made + ":pixels", [-1, self.size(name, 1, made + ":channels")], made)
        return made

    def _any_convolution(self, layer: Layer) -> None:
        kernels = self._kernels(layer)
        wide = layer.stride == 1 and min(kernels.shape[:2]) >= _WIDE
        made = layer.name + ":0" if layer.relu else layer.name
        if wide and layer.kernel == 3:
            rows = self._rows(layer.inputs[0])
            self._tiles.convolve(rows, kernels, self._biases(layer), layer.dilation, layer.relu, layer.name)
        elif wide:
            spare = _SPARE if layer.out >= _LONG else 0
            if spare:
                self._with_spare.add(layer.name)
            weights = self.constant(layer.name + "/weights", np.pad(kernels[:, :, 0, 0].T, ((0, 0), (0, spare))))
            biases = self.constant(layer.name + "/biases", np.pad(self._biases(layer), (0, spare)))
            self.node("Gemm", (self._rows(layer.inputs[0]), weights, biases), made)
        else:
            self._convolution(layer, self.images(layer.inputs[0]), made, kernels)
        if wide:
            self._in_rows.add(layer.name)
        if layer.relu and not (wide and layer.kernel == 3):
            self.node("Relu", (made,), layer.name)

    def _kernels(self, layer: Layer) -> np.ndarray:
        """(out, in, height, width), with zeros for the spare columns of what the layer takes."""
        kernels = self._variables[layer.name + "/weights"].transpose(3, 2, 0, 1).astype(np.float32)
        spare = _SPARE if layer.inputs[0] in self._with_spare else 0
        return np.pad(kernels, ((0, 0), (0, spare), (0, 0), (0, 0)))

    def _biases(self, layer: Layer) -> np.ndarray:
        return self._variables[layer.name + "/biases"].astype(np.float32)

    def _convolution(self, layer: Layer, source: str, made: str, kernels: np.ndarray) -> None:
        inputs = [source, self.constant(layer.name + "/weights", kernels)]
        if layer.bias:
            inputs.append(self.constant(layer.name + "/biases", self._biases(layer)))
        if layer.stride == 1:
            padding: Dict[str, object] = {"pads": [layer.dilation * (layer.kernel // 2)] * 4}
        else:
            padding = {"auto_pad": "SAME_UPPER"}  # as TensorFlow: more at the end, and by the size of the input
        self.node("Conv", inputs, made, kernel_shape=[layer.kernel] * 2, strides=[layer.stride] * 2,
                  dilations=[layer.dilation] * 2, **padding)  # fmt: skip

    def _pooled(self, layer: Layer) -> str:
        """A pyramid's layer before it is enlarged: a few pixels."""
        source, stem = self.images(layer.inputs[0]), layer.name
        # Padding is not counted: a window at the border is the mean of what lies inside the image, as in TensorFlow.
        self.node("AveragePool", (source,), stem + ":pool", kernel_shape=[layer.pool] * 2, strides=[layer.pool] * 2,
                  auto_pad="SAME_UPPER")  # fmt: skip
        self._convolution(layer, stem + ":pool", stem + ":conv", self._kernels(layer))
        self.node("Relu", (stem + ":conv",), stem + ":relu")
        return stem + ":relu"

    def _convolved_pyramid(self, layer: Layer, weights: np.ndarray, name: str) -> str:
        """What a 3 x 3 convolution makes of an enlarged pyramid layer, without enlarging it first.

        weights: (out, in, 3, 3). Enlarging and shifting are linear along each axis, so the convolution is a product of
        small matrices: its 1 x 1 part on the few pixels, then (h, 3 p) x (3 p, 3 q) x (3 q, w) for p x q of them.
        """
        pooled, out = self._pooled(layer), weights.shape[0]
        rows, columns = (self._enlarging(layer, axis) for axis in (2, 3))
        stem = name + ":" + layer.name
        # Channels (row of the kernel, out, column of the kernel), so that each axis can be brought to its matrix.
        spread = weights.transpose(2, 0, 3, 1).reshape(9 * out, -1, 1, 1)
        self.node("Conv", (pooled, self.constant(stem + ":weights", spread)), stem + ":nine")
        for axis, size in ((2, "p"), (3, "q")):
            self.size(pooled, axis, stem + ":" + size)
        self.reshape(stem + ":nine", [1, 3, out, 3, stem + ":p", stem + ":q"], stem + ":split")
        self.node("Transpose", (stem + ":split",), stem + ":by_row", perm=[0, 1, 2, 4, 3, 5])
        self.reshape(stem + ":by_row", [1, 3, out, stem + ":p", -1], stem + ":wide")
        self.node("MatMul", (stem + ":wide", columns), stem + ":across")
        self.node("Transpose", (stem + ":across",), stem + ":by_column", perm=[0, 2, 1, 3, 4])
        self.size(columns, 1, stem + ":w")
        self.reshape(stem + ":by_column", [1, out, -1, stem + ":w"], stem + ":tall")
        self.node("MatMul", (rows, stem + ":tall"), stem)
        return stem

    def _enlarging(self, layer: Layer, axis: int) -> str:
        """The matrix that enlarges a pyramid's layer along an axis, in the three positions of a 3 x 3 kernel.

        Rows (axis 2): (h, 3 p), columns (axis 3): (3 q, w). All layers of one pool share it.
        """
        made = "enlarge:%d:%d" % (layer.pool, axis)
        if not self.is_new(made):
            return made
        small, large = made + ":from", made + ":to"
        self.size(layer.name + ":relu", axis, small)
        self.size(self.images(layer.inputs[0]), axis, large)
        self.node("Concat", (small, small), made + ":square", axis=0)
        self.node("ConstantOfShape", (made + ":square",), made + ":zeros")
        self.node("EyeLike", (made + ":zeros",), made + ":eye")
        self.reshape(made + ":eye", [1, 1, small, small], made + ":image")
        self.node("Concat", (self.integers(1, 1), large, small), made + ":size", axis=0)
        self.node("Resize", (made + ":image", "", "", made + ":size"), made + ":enlarged", mode="linear",
                  coordinate_transformation_mode="asymmetric")  # fmt: skip
        self.reshape(made + ":enlarged", [large, small], made + ":matrix")
        self.node("Pad", (made + ":matrix", self.integers(1, 0, 1, 0)), made + ":padded")
        shifted = []
        for start in range(3):
            shifted.append("%s:%d" % (made, start))
            self.node("Add", (large, self.integers(start)), shifted[-1] + ":end")
            bounds = self.integers(start), shifted[-1] + ":end", self.integers(0)
            self.node("Slice", (made + ":padded",) + bounds, shifted[-1])
        self.node("Concat", shifted, made if axis == 2 else made + ":upright", axis=1)
        if axis == 3:
            self.node("Transpose", (made + ":upright",), made, perm=[1, 0])
        return made
