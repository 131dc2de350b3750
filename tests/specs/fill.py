"""Deterministic weights for parity checks: the same name and shape always give the same array.

`fill({"conv.weight": (8, 3, 3, 3), ...})` returns float32 arrays scaled so that activations stay finite
through a deep network. Two implementations of one architecture, filled alike, must agree on any input.
"""

import zlib

import numpy as np


def _normal(name, shape):
    return np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)


def _unit(vector):
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def fill(shapes):
    """Arrays for every (name -> shape); integer counters (num_batches_tracked) are zeros of int64."""
    out = {}
    for name, shape in shapes.items():
        shape = tuple(shape)
        leaf = name.replace("/", ".").rsplit(".", 1)[-1]
        if leaf == "num_batches_tracked":
            out[name] = np.zeros(shape, np.int64)
        elif leaf == "noise_scale":  # a random term at inference: silenced, so that outputs can be compared
            out[name] = np.zeros(shape, np.float32)
        elif leaf in ("running_var", "moving_variance"):
            out[name] = 0.5 + np.abs(_normal(name, shape))
        elif leaf in ("running_mean", "moving_mean", "bias", "beta", "biases"):
            out[name] = 0.1 * _normal(name, shape)
        elif leaf in ("gamma", "scale") or (leaf == "weight" and len(shape) == 1):
            out[name] = 1.0 + 0.1 * _normal(name, shape)
        elif leaf in ("weight_u", "weight_v"):
            continue
        else:  # convolution and linear kernels: variance 2 / fan-in
            fan_in = max(1, int(np.prod(shape[1:])) if len(shape) > 1 else shape[0])
            if leaf == "weights" and len(shape) == 4:  # TensorFlow keeps kernels as height, width, in, out
                fan_in = int(np.prod(shape[:3]))
            gain = 0.05 if name.startswith("flow_conv") else 1.0  # keeps predicted flows to a few pixels
            out[name] = _normal(name, shape) * np.float32(gain * np.sqrt(2.0 / fan_in))
    for name in shapes:  # spectral norm's vectors: eight power iterations on the kernel they belong to
        if name.endswith("weight_u"):
            kernel = out[name[: -len("_u")] + "_orig"]
            matrix = kernel.reshape(kernel.shape[0], -1)
            u = _unit(_normal(name, (matrix.shape[0],)))
            for _ in range(8):
                v = _unit(matrix.T @ u)
                u = _unit(matrix @ v)
            out[name], out[name[: -len("_u")] + "_v"] = u.astype(np.float32), v.astype(np.float32)
    return {name: out[name] for name in shapes}
