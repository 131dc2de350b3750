"""An exported network on ONNX Runtime. Only the ONNX engines import this: the others' images have no ONNX Runtime."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import List, Sequence

import numpy as np
import onnxruntime

from stagekit.weights import not_right

_AT_ONCE = 2
"""Runs at a time. Two keep all cores busy where one would wait for the slowest of its threads after every operation."""


class OnnxModel:
    """A model of one input on the CPU.

    engine: whose model it is. path: the file. outputs: names that it must give. Raises WeightsMissing.
    """

    def __init__(self, engine: str, path: str, outputs: List[str]) -> None:
        name = os.path.basename(path)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = max(1, len(os.sched_getaffinity(0)) // _AT_ONCE)
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
        (self._input,) = self._session.get_inputs()
        self._workers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=name)

    def __call__(self, batches: Sequence[np.ndarray]) -> List[List[np.ndarray]]:
        """Run on each of several arrays (n, …), whatever their sizes, the largest first; returns the outputs of each, in order.

        Pictures of a batch are taken apart into as many as the model wants at once: one, or two if it was exported before.
        """
        wanted = self._input.shape[0]
        waiting = {}
        for number in sorted(range(len(batches)), key=lambda number: -batches[number].size):
            batch = batches[number]
            parts = [batch[start : start + wanted] for start in range(0, len(batch), wanted)]
            waiting[number] = [self._workers.submit(self._run, part) for part in parts]
        return [_joined([part.result() for part in waiting[number]]) for number in range(len(batches))]

    def _run(self, values: np.ndarray) -> List[np.ndarray]:
        made: List[np.ndarray] = self._session.run(None, {self._input.name: values})
        return made


def _joined(answers: List[List[np.ndarray]]) -> List[np.ndarray]:
    """The outputs of the parts of a batch -> those of the batch."""
    return [np.concatenate(parts) for parts in zip(*answers, strict=True)]
