"""An exported network on ONNX Runtime. Only the ONNX engines import this: the others' images have no ONNX Runtime."""

import os
from typing import List

import numpy as np
import onnxruntime

from stagekit.weights import not_right


class OnnxModel:
    """A model of one input on the CPU.

    engine: whose model it is. path: the file. outputs: names that it must give. Raises WeightsMissing.
    """

    def __init__(self, engine: str, path: str, outputs: List[str]) -> None:
        name = os.path.basename(path)
        settings = onnxruntime.SessionOptions()
        # Waiting threads sleep: in a container that may use less than the whole machine, spinning takes time from others.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Weights outside of its pool, which grows by doubling, and no plan of memory for each size: a quarter less of it.
        settings.enable_mem_pattern = False
        settings.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
        try:
            self._session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own errors have no common base but this
            raise not_right(engine, "ONNX Runtime cannot read %s: %s" % (name, error)) from None
        given = [output.name for output in self._session.get_outputs()]
        if given != outputs:
            raise not_right(engine, "%s gives %s, not %s" % (name, given, outputs))
        self._input = self._session.get_inputs()[0].name

    def __call__(self, values: np.ndarray) -> List[np.ndarray]:
        """Run on one array; returns the outputs in order."""
        made: List[np.ndarray] = self._session.run(None, {self._input: values})
        return made
