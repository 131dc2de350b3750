"""The CIHP Part Grouping Network as a table of layers: what TensorFlow builds and what the ONNX export writes.

Source: Gong et al., "Instance-level Human Parsing via Part Grouping Network", ECCV 2018. A ResNet-101 of stride 8; from
its last three groups one branch that parses and one that finds edges, each with pyramid pooling; then both again, each
refined by what the other found. Layers bear the names of the published checkpoint.
"""

from typing import Dict, List, NamedTuple, Sequence, Tuple

CLASSES = 20
IMAGE = "data"
"""The network's input: (n, height, width, 3) float32, BGR less the mean."""

PARSING_HEADS = ("parsing_fc", "parsing_rf_fc")
"""Logits of 20 classes at an eighth of the input's size; the parse is their mean."""

EDGE_HEAD = "edge_rf_fc"
"""One logit: does an edge between two persons or parts run here?"""

BATCH_NORM_EPSILON = 0.001
POOL, POOL_STRIDE = 3, 2

Shape = Tuple[int, ...]


class Layer(NamedTuple):
    """One row. Padding is TensorFlow's SAME everywhere."""

    name: str
    op: str
    """conv, batch_norm, max_pool, add, concat (over channels), relu, or pyramid: average pool with kernel and stride
    `pool`, a 3 x 3 convolution with bias and ReLU, enlarged to the input's size."""

    inputs: Tuple[str, ...]
    relu: bool = False
    kernel: int = 1
    out: int = 0
    stride: int = 1
    dilation: int = 1
    bias: bool = False
    pool: int = 0


def layers() -> List[Layer]:
    """All layers, each after those that it takes."""
    return _backbone() + _first_round() + _second_round()


def reaching(table: Sequence[Layer], outputs: Sequence[str]) -> List[Layer]:
    """The layers of the table that these outputs need."""
    needed = set(outputs)
    kept = []
    for layer in reversed(table):
        if layer.name in needed:
            needed.update(layer.inputs)
            kept.append(layer)
    return kept[::-1]


def channels(table: Sequence[Layer]) -> Dict[str, int]:
    """Layer name -> how many channels it gives."""
    counts = {IMAGE: 3}
    for layer in table:
        taken = [counts[name] for name in layer.inputs]
        counts[layer.name] = layer.out or (sum(taken) if layer.op == "concat" else taken[0])
    return counts


def variable_shapes(table: Sequence[Layer]) -> Dict[str, Shape]:
    """Name -> shape of every variable of the checkpoint; kernels are (height, width, in, out)."""
    counts = channels(table)
    shapes: Dict[str, Shape] = {}
    for layer in table:
        taken = counts[layer.inputs[0]]
        if layer.op == "batch_norm":
            for leaf in ("beta", "gamma", "moving_mean", "moving_variance"):
                shapes["%s/%s" % (layer.name, leaf)] = (taken,)
        elif layer.op in ("conv", "pyramid"):
            shapes[layer.name + "/weights"] = (layer.kernel, layer.kernel, taken, layer.out)
            if layer.bias:
                shapes[layer.name + "/biases"] = (layer.out,)
    return shapes


# -- the backbone ------------------------------------------------------------------------------------------------------


def _backbone() -> List[Layer]:
    rows = [
        Layer("conv1", "conv", (IMAGE,), kernel=7, out=64, stride=2),
        Layer("bn_conv1", "batch_norm", ("conv1",), relu=True),
        Layer("pool1", "max_pool", ("bn_conv1",)),
    ]
    rows += _group(rows[-1].name, ["2a", "2b", "2c"], width=64)
    rows += _group(rows[-1].name, ["3a"] + ["3b%d" % k for k in range(1, 4)], width=128, stride=2)
    rows += _group(rows[-1].name, ["4a"] + ["4b%d" % k for k in range(1, 23)], width=256, dilation=2)
    rows += _group(rows[-1].name, ["5a", "5b", "5c"], width=512, dilation=4)
    return rows


def _group(before: str, blocks: Sequence[str], width: int, stride: int = 1, dilation: int = 1) -> List[Layer]:
    """Residual blocks of one resolution; the first has a projection beside it and the group's stride."""
    rows: List[Layer] = []
    for number, block in enumerate(blocks):
        first = number == 0
        step = stride if first else 1
        shortcut = before
        if first:
            rows += _conv_norm(block, "1", before, 4 * width, stride=step)
            shortcut = rows[-1].name
        rows += _conv_norm(block, "2a", before, width, stride=step, relu=True)
        rows += _conv_norm(block, "2b", rows[-1].name, width, kernel=3, dilation=dilation, relu=True)
        rows += _conv_norm(block, "2c", rows[-1].name, 4 * width)
        rows.append(Layer("res" + block, "add", (shortcut, rows[-1].name)))
        rows.append(Layer("res%s_relu" % block, "relu", ("res" + block,)))
        before = rows[-1].name
    return rows


def _conv_norm(
    block: str, branch: str, source: str, out: int, kernel: int = 1, stride: int = 1, dilation: int = 1,
    relu: bool = False,
) -> List[Layer]:  # fmt: skip
    conv = Layer("res%s_branch%s" % (block, branch), "conv", (source,), False, kernel, out, stride, dilation)
    return [conv, Layer("bn%s_branch%s" % (block, branch), "batch_norm", (conv.name,), relu)]


# -- parsing and edges, twice ------------------------------------------------------------------------------------------

_GROUPS = ("res3b3_relu", "res4b22_relu", "res5c_relu")


def _first_round() -> List[Layer]:
    rows = []
    for task, width, classes in (("parsing", 512, CLASSES), ("edge", 256, 1)):
        branches = [_conv("%s_branch%d" % (task, k + 1), source, width) for k, source in enumerate(_GROUPS)]
        rows += branches
        rows.append(Layer(task + "_branch_concat", "concat", tuple(branch.name for branch in branches)))
        rows.append(_conv(task + "_branch", rows[-1].name, width))
        rows += _pooled_head(task, task + "_branch", classes, conv="_pp_conv", concat="_pp_out")
    for group in (5, 4, 3):  # edges as each group sees them: trained with, not asked for at inference
        rows += _side_edge(group)
    return rows


def _second_round() -> List[Layer]:
    rows = []
    for task in ("parsing", "edge"):
        rows.append(_conv(task + "_fea", task + "_pp_conv", 256))
        rows.append(_conv(task + "_remap", task + "_fc", 128, kernel=1))
    for task, other, classes in (("parsing", "edge", CLASSES), ("edge", "parsing", 1)):
        task_rf = task + "_rf"
        taken = (task + "_fea", task + "_remap", other + "_fea", other + "_remap")
        rows.append(Layer(task_rf + "_concat", "concat", taken))
        rows.append(_conv(task_rf, rows[-1].name, 512))
        rows += _pooled_head(task_rf, task_rf, classes, conv="_conv", concat="_out")
    return rows


def _pooled_head(name: str, source: str, classes: int, conv: str, concat: str) -> List[Layer]:
    pooled = [
        Layer("%s_pp%d" % (name, k), "pyramid", (source,), True, kernel=3, out=512, bias=True, pool=pool)
        for k, pool in ((1, 60), (2, 30), (3, 20), (4, 10))
    ]
    together = Layer(name + concat, "concat", (source,) + tuple(layer.name for layer in pooled))
    narrowed = _conv(name + conv, together.name, 512)
    return pooled + [together, narrowed, _conv(name + "_fc", narrowed.name, classes, relu=False)]


def _side_edge(group: int) -> List[Layer]:
    source = "edge_branch%d" % (group - 2)
    context = [
        Layer("fc1_edge_c%d_res%d" % (k, group), "conv", (source,), kernel=3, out=1, dilation=dilation, bias=True)
        for k, dilation in enumerate((1, 2, 4, 8, 16))
    ]
    return context + [Layer("fc1_edge_res%d" % group, "add", tuple(layer.name for layer in context))]


def _conv(name: str, source: str, out: int, kernel: int = 3, relu: bool = True) -> Layer:
    return Layer(name, "conv", (source,), relu, kernel, out, bias=True)
