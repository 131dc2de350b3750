"""Files as torch.save writes them, made without Torch: the ZIP archive of today and the row of pickles before it."""

import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from contextlib import contextmanager

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001


def archive(shapes, module="archive"):
    """Float tensors of zeros. shapes: name -> shape."""
    pickled, counts = _pickled(shapes, legacy=False)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as opened:
        opened.writestr(f"{module}/data.pkl", pickled)
        for key, count in counts.items():
            opened.writestr(f"{module}/data/{key}", bytes(4 * count))
        opened.writestr(f"{module}/version", "3\n")
    return buffer.getvalue()


def row(shapes):
    """The same, as before Torch 1.6."""
    pickled, counts = _pickled(shapes, legacy=True)
    head = b"".join(pickle.dumps(part, 2) for part in (MAGIC, VERSION, {"little_endian": True}))
    numbers = b"".join(struct.pack("<q", count) + bytes(4 * count) for count in counts.values())
    return head + pickled + pickle.dumps(list(counts), 2) + numbers


class _Tensor:
    def __init__(self, key, shape):
        self.key, self.shape = key, shape
        self.count = 1
        for length in shape:
            self.count *= length

    def __reduce__(self):
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (_Storage(self.key, self.count), 0, self.shape, (1,) * len(self.shape), False, OrderedDict())


class _Storage:
    def __init__(self, key, count):
        self.key, self.count = key, count


def _pickled(shapes, legacy):
    tensors = OrderedDict(
        (name, _Tensor(str(number), tuple(shape))) for number, (name, shape) in enumerate(shapes.items())
    )
    tensors._metadata = OrderedDict(version=1)  # state_dict has it too
    buffer = io.BytesIO()
    with _torch() as torch:

        class Pickler(pickle.Pickler):
            def persistent_id(self, value):
                if not isinstance(value, _Storage):
                    return None
                rest = (None,) if legacy else ()
                return ("storage", torch.FloatStorage, value.key, "cpu", value.count, *rest)

        Pickler(buffer, 2).dump(tensors)
    return buffer.getvalue(), {tensor.key: tensor.count for tensor in tensors.values()}


@contextmanager
def _torch():
    """The two names that such a file mentions, for as long as it is written."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2():
        pass

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    torch._utils = utils
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        yield torch
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
