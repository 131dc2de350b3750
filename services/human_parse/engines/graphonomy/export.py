"""Write the weights as an ONNX model, for the engine graphonomy_onnx.

    python -m services.human_parse.engines.graphonomy.export > graphonomy.onnx

Reads the weights where the engine does. Height and width of the model's input are free.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import torch

from services.human_parse.engines.graphonomy.checkpoint import load_network
from services.human_parse.engines.graphonomy.network import Graphonomy
from stagekit.errors import StageError
from stagekit.weights import weights_folder

OPSET = 13


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Write to a file or to the standard output; refusals are told in a sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m services.human_parse.engines.graphonomy.export", description=__doc__
    )
    parser.add_argument("-o", "--output", type=Path, help="file to write; default: the standard output")
    options = parser.parse_args(arguments)
    if options.output is None and sys.stdout.isatty():
        parser.error("the model has 160 MB: write it to a file")
    try:
        network = load_network(weights_folder("graphonomy"))
    except StageError as error:
        sys.exit(error.detail)
    model = to_onnx(network)
    if options.output is None:
        sys.stdout.buffer.write(model)
    else:
        options.output.write_bytes(model)


def to_onnx(network: Graphonomy) -> bytes:
    """Input `image`: (1, 3, h, w) float32 BGR in -1..1. Output `parsing`: logits (1, 20, h, w)."""
    buffer = io.BytesIO()
    sizes = {2: "height", 3: "width"}
    torch.onnx.export(
        network, torch.zeros(1, 3, 256, 192), buffer, input_names=["image"], output_names=["parsing"],
        dynamic_axes={"image": sizes, "parsing": sizes}, opset_version=OPSET,
    )  # fmt: skip
    return buffer.getvalue()


if __name__ == "__main__":
    main()
