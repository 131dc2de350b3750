"""TensorFlow 1.15, imported without its warnings about NumPy."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # it names types in a way that NumPy deprecated in 1.17
    import tensorflow.compat.v1 as tf

__all__ = ["tf"]
