"""Nodes and constants of an ONNX graph under construction."""

from typing import Any, List, Sequence, Set, Union

import numpy as np
import onnx
from onnx import helper, numpy_helper


class Nodes:
    """Lists that grow. Every tensor has one name; constants and nodes that several others take are made once."""

    def __init__(self) -> None:
        self.nodes: List[onnx.NodeProto] = []
        self.constants: List[onnx.TensorProto] = []
        self._made: Set[str] = set()

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node of one output; returns the output's name."""
        self.nodes.append(helper.make_node(op, list(inputs), [output], **attributes))
        return output

    def constant(self, name: str, values: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def is_new(self, name: str) -> bool:
        """Whether this was not asked before: then the caller makes it."""
        new = name not in self._made
        self._made.add(name)
        return new

    def shared(self, name: str, values: np.ndarray) -> str:
        """A constant that several nodes take."""
        return self.constant(name, values) if self.is_new(name) else name

    def integers(self, *values: int) -> str:
        return self.shared("integers:" + ",".join(map(str, values)), np.array(values, np.int64))

    def size(self, tensor: str, axis: int, made: str) -> str:
        """The length of a tensor along an axis, as a tensor of one number."""
        self.node("Shape", (tensor,), made + ":all")
        return self.node("Slice", (made + ":all", self.integers(axis), self.integers(axis + 1)), made)

    def reshape(self, source: str, shape: Sequence[Union[int, str]], made: str) -> str:
        """shape: numbers, or names of tensors that hold one."""
        numbers = [part for part in shape if isinstance(part, int)]
        if len(numbers) == len(shape):
            return self.node("Reshape", (source, self.integers(*numbers)), made)
        parts = [self.integers(part) if isinstance(part, int) else part for part in shape]
        return self.node("Reshape", (source, self.node("Concat", parts, made + ":shape", axis=0)), made)
