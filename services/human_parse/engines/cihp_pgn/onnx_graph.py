"""Nodes and constants of the ONNX model, with less arithmetic than the layers say and the same results.

Batch norms are folded into the convolutions before them. Convolutions over pyramid pooling take the pooled pixels without
enlarging them. Wide 3 x 3 convolutions are done in tiles, with half of the products.
"""

from typing import Dict, List, Sequence, Set, Union

import numpy as np
import onnx
from onnx import helper, numpy_helper

from services.human_parse.engines.cihp_pgn.layers import BATCH_NORM_EPSILON, POOL, POOL_STRIDE, Layer

Arrays = Dict[str, np.ndarray]

# Winograd's minimal filtering F(4, 3): four outputs of a filter of three taps by six products instead of twelve.
# Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
_TILE, _POINTS = 4, 6
_OF_INPUT = np.array(
    [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0],
     [0, 4, 0, -5, 0, 1]], np.float32)  # fmt: skip
_OF_KERNEL = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
_OF_OUTPUT = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float32)  # fmt: skip
_WORTH_IT = 256
"""Channels in and out from which it is faster than a plain convolution."""


class Graph:
    """Nodes and constants under construction. Tensors are N, C, H, W and bear their layer's name."""

    def __init__(self, variables: Arrays) -> None:
        self.nodes: List[onnx.NodeProto] = []
        self.constants: List[onnx.TensorProto] = []
        self._variables = dict(variables)
        self._made: Set[str] = set()

    def fold(self, convolution: str, norm: str) -> None:
        """Make the variables of a convolution named `norm` that does both."""
        taken = (
            self._variables["%s/%s" % (norm, leaf)] for leaf in ("beta", "gamma", "moving_mean", "moving_variance")
        )
        beta, gamma, mean, variance = (values.astype(np.float64) for values in taken)
        factor = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        self._variables[norm + "/weights"] = self._variables[convolution + "/weights"] * factor
        self._variables[norm + "/biases"] = beta - mean * factor

    def add(self, layer: Layer) -> None:
        made = layer.name + ":0" if layer.relu and layer.op != "relu" else layer.name
        if layer.op == "conv":
            self._wide_convolution(layer, layer.inputs[0], made, self._kernels(layer))
        elif layer.op == "max_pool":
            self.node("MaxPool", layer.inputs, made, kernel_shape=[POOL] * 2, strides=[POOL_STRIDE] * 2,
                      auto_pad="SAME_UPPER")  # fmt: skip
        elif layer.op == "concat":
            self.node("Concat", layer.inputs, made, axis=1)
        else:
            self.node({"add": "Sum", "relu": "Relu"}[layer.op], layer.inputs, made)
        if made != layer.name:
            self.node("Relu", (made,), layer.name)

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes: object) -> None:
        self.nodes.append(helper.make_node(op, list(inputs), [output], **attributes))

    def constant(self, name: str, values: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add_over_pyramid(self, layer: Layer, source: str, pooled: Sequence[Layer]) -> None:
        """A 3 x 3 convolution of `source` and the enlarged layers `pooled` together."""
        kernels = self._kernels(layer)
        start = kernels.shape[1] - sum(pyramid.out for pyramid in pooled)
        parts = [layer.name + ":source"]
        self._wide_convolution(layer, source, parts[0], kernels[:, :start])
        for pyramid in pooled:
            parts.append(self._convolved_pyramid(pyramid, kernels[:, start : start + pyramid.out], layer.name))
            start += pyramid.out
        self.node("Sum", parts, layer.name + ":0")
        self.node("Relu", (layer.name + ":0",), layer.name)

    def _wide_convolution(self, layer: Layer, source: str, made: str, kernels: np.ndarray) -> None:
        """A convolution of feature maps; those of few pixels, of pyramids, are not worth the tiles."""
        ordinary = (layer.kernel, layer.stride, layer.dilation) == (3, 1, 1)
        if ordinary and min(kernels.shape[:2]) >= _WORTH_IT:
            self._convolution_in_tiles(layer, source, made, kernels)
        else:
            self._convolution(layer, source, made, kernels)

    def _convolution_in_tiles(self, layer: Layer, source: str, made: str, kernels: np.ndarray) -> None:
        """A 3 x 3 convolution by F(4, 3) along each row, and as ever along columns: with half of the products.

        Pixels 4 t + k of a row are sliced out for k of 0..5, mixed into six images, convolved by 3 x 1 in six groups, and
        mixed again into the pixels 4 t + k of the output, k of 0..3.
        """
        out, taken = kernels.shape[:2]
        stem = made + ":tiles"
        self.node("Pad", (source, self._integers(0, 0, 0, 1, 0, 0, 0, _TILE)), stem + ":padded")
        slices = []
        for k, end in enumerate(self._ends_of_tiles(source)):
            slices.append("%s:%d" % (stem, k))
            step = self._integers(k), end, self._integers(3), self._integers(_TILE)
            self.node("Slice", (stem + ":padded",) + step, slices[-1])
        self.node("Concat", slices, stem + ":slices", axis=1)
        self.node("Shape", (stem + ":slices",), stem + ":shape")
        self._reshape(stem + ":slices", [2, _POINTS, -1], stem + ":rows")
        self.node("MatMul", (self._shared("of_input", _OF_INPUT), stem + ":rows"), stem + ":mixed")
        self.node("Reshape", (stem + ":mixed", stem + ":shape"), stem + ":images")
        mixed = np.einsum("pk,ocyk->pocy", _OF_KERNEL, kernels).reshape(_POINTS * out, taken, 3, 1).astype(np.float32)
        self.node("Conv", (stem + ":images", self.constant(stem + ":weights", mixed)), stem + ":convolved",
                  group=_POINTS, kernel_shape=[3, 1], pads=[1, 0, 1, 0])  # fmt: skip
        self._reshape(stem + ":convolved", [2, _POINTS, -1], stem + ":products")
        self.node("MatMul", (self._shared("of_output", _OF_OUTPUT), stem + ":products"), stem + ":unmixed")
        self._size(source, 2, stem + ":h")
        self._reshape(stem + ":unmixed", [2, _TILE, out, stem + ":h", -1], stem + ":apart")
        self.node("Transpose", (stem + ":apart",), stem + ":together", perm=[0, 2, 3, 4, 1])
        self._reshape(stem + ":together", [2, out, stem + ":h", -1], stem + ":wide")
        self._size(source, 3, stem + ":w")
        self.node("Slice", (stem + ":wide", self._integers(0), stem + ":w", self._integers(3)), stem + ":cut")
        biases = self._biases(layer).reshape(-1, 1, 1)
        self.node("Add", (stem + ":cut", self.constant(stem + ":biases", biases)), made)

    def _ends_of_tiles(self, source: str) -> List[str]:
        """Where the slices of a row end. All such convolutions work at an eighth of the image's size, and share them."""
        ends = ["tiles:end:%d" % k for k in range(_POINTS)]
        if "tiles" not in self._made:
            self._made.add("tiles")
            self._size(source, 3, "tiles:w")
            self.node("Add", ("tiles:w", self._integers(_TILE - 1)), "tiles:rounded_up")
            self.node("Div", ("tiles:rounded_up", self._integers(_TILE)), "tiles:count")
            self.node("Mul", ("tiles:count", self._integers(_TILE)), "tiles:whole")
            for k, end in enumerate(ends):
                self.node("Add", ("tiles:whole", self._integers(k + 1 - _TILE)), end)
        return ends

    def _kernels(self, layer: Layer) -> np.ndarray:
        """(out, in, height, width)"""
        return self._variables[layer.name + "/weights"].transpose(3, 2, 0, 1).astype(np.float32)

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
        source, stem = layer.inputs[0], layer.name
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
            self._size(pooled, axis, stem + ":" + size)
        self._reshape(stem + ":nine", [2, 3, out, 3, stem + ":p", stem + ":q"], stem + ":split")
        self.node("Transpose", (stem + ":split",), stem + ":by_row", perm=[0, 1, 2, 4, 3, 5])
        self._reshape(stem + ":by_row", [2, 3, out, stem + ":p", -1], stem + ":wide")
        self.node("MatMul", (stem + ":wide", columns), stem + ":across")
        self.node("Transpose", (stem + ":across",), stem + ":by_column", perm=[0, 2, 1, 3, 4])
        self._size(columns, 1, stem + ":w")
        self._reshape(stem + ":by_column", [2, out, -1, stem + ":w"], stem + ":tall")
        self.node("MatMul", (rows, stem + ":tall"), stem)
        return stem

    def _enlarging(self, layer: Layer, axis: int) -> str:
        """The matrix that enlarges a pyramid's layer along an axis, in the three positions of a 3 x 3 kernel.

        Rows (axis 2): (h, 3 p), columns (axis 3): (3 q, w). All layers of one pool share it.
        """
        made = "enlarge:%d:%d" % (layer.pool, axis)
        if made in self._made:
            return made
        self._made.add(made)
        small, large = made + ":from", made + ":to"
        self._size(layer.name + ":relu", axis, small)
        self._size(layer.inputs[0], axis, large)
        self.node("Concat", (small, small), made + ":square", axis=0)
        self.node("ConstantOfShape", (made + ":square",), made + ":zeros")
        self.node("EyeLike", (made + ":zeros",), made + ":eye")
        self._reshape(made + ":eye", [1, 1, small, small], made + ":image")
        self.node("Concat", (self._integers(1, 1), large, small), made + ":size", axis=0)
        self.node("Resize", (made + ":image", "", "", made + ":size"), made + ":enlarged", mode="linear",
                  coordinate_transformation_mode="asymmetric")  # fmt: skip
        self._reshape(made + ":enlarged", [large, small], made + ":matrix")
        self.node("Pad", (made + ":matrix", self._integers(1, 0, 1, 0)), made + ":padded")
        shifted = []
        for start in range(3):
            shifted.append("%s:%d" % (made, start))
            self.node("Add", (large, self._integers(start)), shifted[-1] + ":end")
            bounds = self._integers(start), shifted[-1] + ":end", self._integers(0)
            self.node("Slice", (made + ":padded",) + bounds, shifted[-1])
        self.node("Concat", shifted, made if axis == 2 else made + ":upright", axis=1)
        if axis == 3:
            self.node("Transpose", (made + ":upright",), made, perm=[1, 0])
        return made

    def _reshape(self, source: str, shape: Sequence[Union[int, str]], made: str) -> None:
        """shape: numbers, or names of tensors that hold one."""
        parts = [self._integers(part) if isinstance(part, int) else part for part in shape]
        self.node("Concat", parts, made + ":shape", axis=0)
        self.node("Reshape", (source, made + ":shape"), made)

    def _size(self, tensor: str, axis: int, made: str) -> None:
        """The length of a tensor along an axis, as a tensor of one number."""
        self.node("Shape", (tensor,), made + ":all")
        self.node("Slice", (made + ":all", self._integers(axis), self._integers(axis + 1)), made)

    def _integers(self, *values: int) -> str:
        return self._shared("integers:" + ",".join(map(str, values)), np.array(values, np.int64))

    def _shared(self, name: str, values: np.ndarray) -> str:
        """A constant that several nodes take."""
        if name not in self._made:
            self._made.add(name)
            self.constant(name, values)
        return name
