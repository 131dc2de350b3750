"""An exported network on ONNX Runtime. Only the ONNX engines import this: the others' images have no ONNX Runtime."""

import os
from typing import List

import numpy as np
import onnxruntime

from stagekit.errors import WeightsMissing


class OnnxModel:
    """A model of one input on the CPU.

    path: the file. outputs: names that it must give. advice: what to do when it is missing; it takes up the path and what
    is wrong by %. Raises WeightsMissing.
    """

    def __init__(self, path: str, outputs: List[str], advice: str) -> None:
        if not os.path.exists(path):
            raise WeightsMissing(advice % (path, "there is no such file"))
        settings = onnxruntime.SessionOptions()
        # Waiting threads sleep: in a container that may use less than the whole machine, spinning takes time from others.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Weights outside of its pool, which grows by doubling, and no plan of memory for each size: a quarter less of it.
        settings.enable_mem_pattern = False
        settings.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
        try:
            self._session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own errors have no common base but this
            raise WeightsMissing(advice % (path, "ONNX Runtime cannot read it: %s" % error)) from None
        given = [output.name for output in self._session.get_outputs()]
        if given != outputs:
            raise WeightsMissing(advice % (path, "it gives %s, not %s" % (given, outputs)))
        self._input = self._session.get_inputs()[0].name

    def __call__(self, values: np.ndarray) -> List[np.ndarray]:
        """Run on one array; returns the outputs in order."""
        made: List[np.ndarray] = self._session.run(None, {self._input: values})
        return made
