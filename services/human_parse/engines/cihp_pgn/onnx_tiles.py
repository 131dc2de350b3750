"""3 x 3 convolutions of many channels in tiles of 4 x 4 pixels: the same results with a quarter of the products.

Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016: Winograd's minimal filtering
F(4 x 4, 3 x 3). A tile's outputs depend on 6 x 6 pixels; these are mixed into 36 numbers, multiplied by 36 numbers made of
the kernel, and mixed again into 4 x 4.
"""

import numpy as np

from services.human_parse.engines.cihp_pgn.onnx_nodes import Nodes

_TILE, _POINTS = 4, 6
_OF_INPUT = np.array(
    [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0],
     [0, 4, 0, -5, 0, 1]])  # fmt: skip
_OF_KERNEL = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
_OF_OUTPUT = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])


class Tiles:
    """Convolutions of rows (h w, channels): the pixels of an image with all their channels."""

    def __init__(self, graph: Nodes, height: str, width: str) -> None:
        """height, width: names of the tensors that hold h and w."""
        self._graph = graph
        self._sides = {"y": height, "x": width}

    def convolve(
        self, source: str, kernels: np.ndarray, biases: np.ndarray, dilation: int, relu: bool, made: str
    ) -> None:
        """Rows of `made` from those of `source`. kernels: (out, in, 3, 3); the image is padded with zeros."""
        node, reshape = self._graph.node, self._graph.reshape
        out, taken = kernels.shape[:2]
        stem = made + ":tiles"
        spread = np.kron(_OF_KERNEL, _OF_KERNEL) @ kernels.transpose(2, 3, 0, 1).reshape(9, -1)
        weights = self._graph.constant(stem + ":weights", spread.astype(np.float32).reshape(_POINTS**2, out, taken))
        node("MatMul", (weights, self._points(source, taken, dilation)), stem + ":products")
        reshape(stem + ":products", [_POINTS**2, -1], stem + ":flat")
        shape = node("Concat", (self._graph.integers(out), self._count(dilation)), stem + ":shape", axis=0)
        column = self._graph.constant(stem + ":biases", biases.reshape(-1, 1))
        node("Expand", (column, shape), stem + ":biases_of_tiles")
        biases_flat = reshape(stem + ":biases_of_tiles", [1, -1], stem + ":biases_flat")
        of_output = self._matrix("of_output", np.kron(_OF_OUTPUT, _OF_OUTPUT))
        last = node("Gemm", (of_output, stem + ":flat", biases_flat), stem + ":mixed")
        if relu:
            last = node("Relu", (last,), stem + ":relu")
        reshape(last, [_TILE**2, out, -1], stem + ":channels")
        node("Transpose", (stem + ":channels",), stem + ":pixels", perm=[0, 2, 1])
        reshape(stem + ":pixels", [-1, out], stem + ":rows")
        node("Gather", (stem + ":rows", self._way_back(dilation)), made, axis=0)

    def _points(self, source: str, channels: int, dilation: int) -> str:
        """(36, channels, tiles): the mixed pixels of all tiles, made once for all convolutions of a source."""
        node, reshape = self._graph.node, self._graph.reshape
        stem = "%s:points:%d" % (source, dilation)
        if self._graph.is_new(stem):
            outside = self._graph.shared("outside:%d" % channels, np.zeros((1, channels), np.float32))
            node("Concat", (source, outside), stem + ":padded", axis=0)
            node("Gather", (stem + ":padded", self._way_there(dilation)), stem + ":pixels", axis=0)
            of_input = self._matrix("of_input", _OF_INPUT)
            reshape(stem + ":pixels", [_POINTS, -1], stem + ":by_row")
            node("MatMul", (of_input, stem + ":by_row"), stem + ":half_mixed")
            reshape(stem + ":half_mixed", [_POINTS, _POINTS, -1], stem + ":by_column")
            node("MatMul", (of_input, stem + ":by_column"), stem + ":mixed")
            reshape(stem + ":mixed", [_POINTS**2, -1, channels], stem + ":rows")
            node("Transpose", (stem + ":rows",), stem, perm=[0, 2, 1])
        return stem

    # With dilation d an image is d x d images, each of every d-th pixel, and a tile lies in one of them. Along an axis, tile
    # j starts at pixel 4 (j - j mod d) + j mod d and goes on in steps of d.

    def _way_there(self, dilation: int) -> str:
        """Numbers of the rows that tiles take, in the order (6, 6, tile down, tile across); h w is outside."""
        node, reshape, integers = self._graph.node, self._graph.reshape, self._graph.integers
        stem = "tiles:%d:there" % dilation
        if self._graph.is_new(stem):
            shifts = dilation * (np.arange(_POINTS, dtype=np.int64) - 1)
            for axis, shape in (("y", [_POINTS, 1, -1, 1]), ("x", [1, _POINTS, 1, -1])):
                along = "%s:%s" % (stem, axis)
                tiles = self._range(self._tiles(dilation, axis), along + ":tile")
                phase = node("Mod", (tiles, integers(dilation)), along + ":phase")
                whole = node("Sub", (tiles, phase), along + ":whole")
                start = node("Add", (node("Mul", (whole, integers(_TILE)), along + ":times"), phase), along + ":start")
                steps = self._graph.constant(along + ":shifts", shifts.reshape(-1, 1))
                pixels = reshape(node("Add", (start, steps), along + ":all"), shape, along)
                after = node("Less", (integers(-1), pixels), along + ":after")
                before = node("Less", (pixels, self._sides[axis]), along + ":before")
                node("And", (after, before), along + ":inside")
            node("And", (stem + ":y:inside", stem + ":x:inside"), stem + ":inside")
            area = node("Mul", (self._sides["y"], self._sides["x"]), stem + ":area")
            line = node("Mul", (stem + ":y", self._sides["x"]), stem + ":line")
            node("Add", (line, stem + ":x"), stem + ":row")
            node("Where", (stem + ":inside", stem + ":row", area), stem + ":grid")
            reshape(stem + ":grid", [-1], stem)
        return stem

    def _way_back(self, dilation: int) -> str:
        """For each of the h w pixels, its number in the order (4, 4, tile down, tile across)."""
        node, reshape, integers = self._graph.node, self._graph.reshape, self._graph.integers
        stem = "tiles:%d:back" % dilation
        if self._graph.is_new(stem):
            for axis, shape in (("y", [-1, 1]), ("x", [1, -1])):
                along = "%s:%s" % (stem, axis)
                pixel = reshape(self._range(self._sides[axis], along + ":range"), shape, along)
                span = integers(_TILE * dilation)
                phase = node("Mod", (pixel, integers(dilation)), along + ":phase")
                number = node(
                    "Mul", (node("Div", (pixel, span), along + ":span"), integers(dilation)), along + ":spans"
                )
                node("Add", (number, phase), along + ":tile")
                within = node("Mod", (pixel, span), along + ":within")
                node("Div", (within, integers(dilation)), along + ":point")
            down, across = self._tiles(dilation, "y"), self._tiles(dilation, "x")
            number = stem + ":y:point"
            for count, digit in (
                (integers(_TILE), stem + ":x:point"),
                (down, stem + ":y:tile"),
                (across, stem + ":x:tile"),
            ):
                scaled = node("Mul", (number, count), "%s:%s*" % (stem, digit))
                number = node("Add", (scaled, digit), "%s:%s+" % (stem, digit))
            reshape(number, [-1], stem)
        return stem

    def _count(self, dilation: int) -> str:
        """How many tiles the image has."""
        made = "tiles:%d:count" % dilation
        if self._graph.is_new(made):
            self._graph.node("Mul", (self._tiles(dilation, "y"), self._tiles(dilation, "x")), made)
        return made

    def _tiles(self, dilation: int, axis: str) -> str:
        """How many tiles lie along an axis."""
        node, integers = self._graph.node, self._graph.integers
        made = "tiles:%d:%s" % (dilation, axis)
        if self._graph.is_new(made):
            span = _TILE * dilation
            node("Add", (self._sides[axis], integers(span - 1)), made + ":up")
            node("Div", (made + ":up", integers(span)), made + ":spans")
            node("Mul", (made + ":spans", integers(dilation)), made)
        return made

    def _range(self, count: str, made: str) -> str:
        """0, 1, … below a number."""
        scalar = self._graph.node("Squeeze", (count,), made + ":scalar")
        zero, one = (self._graph.shared("scalar:%d" % k, np.array(k, np.int64)) for k in (0, 1))
        return self._graph.node("Range", (zero, scalar, one), made)

    def _matrix(self, name: str, values: np.ndarray) -> str:
        return self._graph.shared("tiles:" + name, values.astype(np.float32))
