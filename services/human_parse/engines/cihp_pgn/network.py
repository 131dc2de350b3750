"""The table of layers as a TensorFlow 1.15 graph, with its variables restored from the published checkpoint."""

from typing import Any, Callable, Dict, Iterable, List, Tuple

import numpy as np

from services.human_parse.engines.cihp_pgn.layers import (
    BATCH_NORM_EPSILON,
    EDGE_HEAD,
    IMAGE,
    PARSING_HEADS,
    POOL,
    POOL_STRIDE,
    Layer,
    Shape,
    layers,
    reaching,
    variable_shapes,
)
from services.human_parse.engines.cihp_pgn.tf1 import tf

Sizes = Iterable[Tuple[int, int]]


class Network:
    """One graph and one session, with the network laid out once for each size of input that will be asked for.

    The sizes share all variables, and nothing is built after the constructor. Source: Gong et al., ECCV 2018.
    """

    def __init__(self, sizes: Sizes) -> None:
        table = layers()
        graph = tf.Graph()
        with graph.as_default():
            variables = {name: _variable(name, shape) for name, shape in variable_shapes(table).items()}
            self._saver = tf.train.Saver(variables)
            wanted = reaching(table, PARSING_HEADS + (EDGE_HEAD,))
            self._ways = {size: _lay_out(wanted, variables, size) for size in sizes}
        graph.finalize()
        self._session = tf.Session(graph=graph)

    def restore(self, checkpoint: str) -> None:
        """Read every variable. checkpoint: as `find_checkpoint` gives it."""
        self._saver.restore(self._session, checkpoint)

    def __call__(self, pairs: List[np.ndarray]) -> List[Tuple[np.ndarray, np.ndarray]]:
        """Each (2, 3, h, w) float32 BGR less the mean -> logits (2, 20, h/8, w/8) of classes and (2, 1, h/8, w/8) of edges.

        h, w: one of the sizes given at the start.
        """
        return [self._run(pair) for pair in pairs]

    def _run(self, pair: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        image, outputs = self._ways[pair.shape[2], pair.shape[3]]
        parsing, edges = self._session.run(outputs, {image: pair.transpose(0, 2, 3, 1)})
        return parsing.transpose(0, 3, 1, 2), edges.transpose(0, 3, 1, 2)


# -- the graph ---------------------------------------------------------------------------------------------------------


def _variable(name: str, shape: Shape) -> Any:
    """The zeros are never made: everything is restored."""
    return tf.Variable(tf.zeros(shape), name=name, trainable=False)


def _lay_out(table: List[Layer], variables: Dict[str, Any], size: Tuple[int, int]) -> Tuple[Any, Any]:
    image = tf.placeholder(tf.float32, (2,) + size + (3,))
    tensors = {IMAGE: image}
    for layer in table:
        made = _OPERATIONS[layer.op](layer, [tensors[name] for name in layer.inputs], variables)
        tensors[layer.name] = tf.nn.relu(made) if layer.relu and layer.op != "pyramid" else made
    parsing = sum(tensors[name] for name in PARSING_HEADS) / len(PARSING_HEADS)
    return image, (parsing, tensors[EDGE_HEAD])


def _convolution(layer: Layer, inputs: List[Any], variables: Dict[str, Any]) -> Any:
    kernel = variables[layer.name + "/weights"]
    if layer.dilation > 1:
        made = tf.nn.atrous_conv2d(inputs[0], kernel, layer.dilation, "SAME")
    else:
        made = tf.nn.conv2d(inputs[0], kernel, [1, layer.stride, layer.stride, 1], "SAME")
    return tf.nn.bias_add(made, variables[layer.name + "/biases"]) if layer.bias else made


def _batch_norm(layer: Layer, inputs: List[Any], variables: Dict[str, Any]) -> Any:
    beta, gamma, mean, variance = (
        variables["%s/%s" % (layer.name, leaf)] for leaf in ("beta", "gamma", "moving_mean", "moving_variance")
    )
    made, _, _ = tf.nn.fused_batch_norm(
        inputs[0], gamma, beta, mean, variance, epsilon=BATCH_NORM_EPSILON, is_training=False
    )
    return made


def _max_pool(layer: Layer, inputs: List[Any], variables: Dict[str, Any]) -> Any:
    return tf.nn.max_pool2d(inputs[0], [1, POOL, POOL, 1], [1, POOL_STRIDE, POOL_STRIDE, 1], "SAME")


def _pyramid(layer: Layer, inputs: List[Any], variables: Dict[str, Any]) -> Any:
    size = inputs[0].shape.as_list()[1:3]
    window = [1, layer.pool, layer.pool, 1]
    pooled = _convolution(layer, [tf.nn.avg_pool2d(inputs[0], window, window, "SAME")], variables)
    return tf.image.resize_bilinear(tf.nn.relu(pooled), size)


_OPERATIONS: Dict[str, Callable[[Layer, List[Any], Dict[str, Any]], Any]] = {
    "conv": _convolution,
    "batch_norm": _batch_norm,
    "max_pool": _max_pool,
    "pyramid": _pyramid,
    "add": lambda layer, inputs, variables: tf.add_n(inputs),
    "concat": lambda layer, inputs, variables: tf.concat(inputs, 3),
    "relu": lambda layer, inputs, variables: tf.nn.relu(inputs[0]),
}
