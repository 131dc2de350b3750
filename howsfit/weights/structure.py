"""Names and shapes of the arrays in a weight file, read without the framework that wrote it; nothing in it is executed.

Formats: torch.save's ZIP archive (since Torch 1.6) and its older row of pickles; safetensors; the index of TensorFlow's checkpoints V2, a
sorted string table as LevelDB's (github.com/google/leveldb, doc/table_format.md) of BundleEntryProto messages.
"""

import json
import math
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from howsfit.weights.errors import WrongFile

Shapes = dict[str, tuple[int, ...]]


def check_structure(path: Path, wanted: Mapping[str, Any]) -> None:
    """Hold a file to the manifest's `structure`. Raises WrongFile with what differs, OSError."""
    try:
        shapes = _READERS[wanted["kind"]](path)
    except (EOFError, LookupError, TypeError, ValueError, AttributeError, struct.error, zlib.error) as error:
        raise WrongFile(f"it cannot be read as a file of {wanted['kind']} ({error})") from None
    except (pickle.UnpicklingError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise WrongFile(f"it cannot be read as a file of {wanted['kind']} ({error})") from None
    # Counters of batch norms are not always saved, and several GPUs give every name a prefix.
    shapes = {
        name.removeprefix("module."): shape
        for name, shape in shapes.items()
        if not name.endswith("num_batches_tracked")
    }
    for name, shape in wanted["shapes"].items():
        if name not in shapes:
            raise WrongFile(f"it has no array {name}")
        if shapes[name] != tuple(shape):
            raise WrongFile(f"its array {name} is {shapes[name]}, not {tuple(shape)}")
    found = {"arrays": len(shapes), "elements": sum(math.prod(shape) for shape in shapes.values())}
    for what, count in found.items():
        # A checkpoint of a training may hold its optimiser's arrays too.
        if count < wanted[what] or (count > wanted[what] and wanted["kind"] != "tensorflow"):
            raise WrongFile(f"it has {count} {what}, not {wanted[what]}")


# -- Torch ------------------------------------------------------------------------------------------------------------


def torch_shapes(path: Path) -> Shapes:
    """Of a state_dict that torch.save wrote. Raises UnpicklingError, ValueError and others for any other file."""
    with path.open("rb") as file:
        if zipfile.is_zipfile(file):
            file.seek(0)
            arrays = _from_archive(file)
        else:
            file.seek(0)
            arrays = _from_row(file, path.stat().st_size)
    if not isinstance(arrays, dict) or not all(isinstance(array, _Array) for array in arrays.values()):
        raise ValueError("it holds no named arrays")
    return {str(name): array.shape for name, array in arrays.items()}


def _from_archive(file: IO[bytes]) -> Any:
    with zipfile.ZipFile(file) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        (index,) = (name for name in sizes if name.endswith("/data.pkl") and name.count("/") == 1)
        with archive.open(index) as pickled:
            reader = _ArraysOnly(pickled)
            arrays = reader.load()
        for key, size in reader.storages.items():
            if sizes.get(index.replace("data.pkl", f"data/{key}"), -1) < size:
                raise ValueError(f"the numbers of storage {key} are incomplete")
        broken = archive.testzip()
        if broken:
            raise ValueError(f"{broken} is damaged")
    return arrays


def _from_row(file: IO[bytes], size: int) -> Any:
    """Five pickles (a magic number, a version, the machine, the state_dict, the order), then each storage's numbers."""
    if _ArraysOnly(file).load() != 0x1950A86A20F9469CFC6C:
        raise ValueError("it does not begin like one")
    for _ in range(2):
        _ArraysOnly(file).load()
    reader = _ArraysOnly(file)
    arrays = reader.load()
    order = _ArraysOnly(file).load()
    if set(order) != set(reader.storages):
        raise ValueError("its storages are others than its arrays need")
    needed = file.tell() + sum(8 + reader.storages[key] for key in order)
    if size < needed:
        raise ValueError(f"it ends after {size} of {needed} bytes")
    return arrays


class _Array:
    """Stands for a tensor, which is not read."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    @classmethod
    def rebuild(cls, storage: Any, offset: int, size: tuple[int, ...], *rest: Any) -> "_Array":
        return cls(tuple(int(length) for length in size))

    @classmethod
    def parameter(cls, array: "_Array", *rest: Any) -> "_Array":
        return array


class _ArraysOnly(pickle.Unpickler):
    """Knows tensors, dictionaries and numbers. Whatever else a pickle names is refused, and none of Torch is needed."""

    _BYTES = {"Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1,
              "Bool": 1}  # fmt: skip

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, int] = {}
        """Key -> bytes."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _Array.rebuild
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _Array.parameter
        if module in ("torch", "torch.cuda") and name.removesuffix("Storage") in self._BYTES:
            return self._BYTES[name.removesuffix("Storage")]
        raise pickle.UnpicklingError(f"it names {module}.{name}, which weights have no need of")

    def persistent_load(self, saved: Any) -> None:
        kind, width, key, _, count = saved[:5]
        if kind != "storage":
            raise pickle.UnpicklingError(f"it names a {kind}")
        self.storages[str(key)] = int(width) * int(count)


# -- safetensors ------------------------------------------------------------------------------------------------------

_HEADER_AT_MOST = 100_000_000


def safetensors_shapes(path: Path) -> Shapes:
    """Of the JSON that such a file begins with, once the numbers after it are all there. Raises ValueError and others for any
    other file."""
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        if size > _HEADER_AT_MOST:
            raise ValueError("it does not begin like one")
        header = json.loads(file.read(size))
        arrays = {name: array for name, array in header.items() if name != "__metadata__"}
    end = 8 + size + max((array["data_offsets"][1] for array in arrays.values()), default=0)
    if path.stat().st_size != end:
        raise ValueError(f"it has {path.stat().st_size} bytes, not {end}")
    return {name: tuple(int(length) for length in array["shape"]) for name, array in arrays.items()}


# -- TensorFlow ---------------------------------------------------------------------------------------------------------

_TABLE_MAGIC = 0xDB4775248B80FB57


def tensorflow_shapes(path: Path) -> Shapes:
    """Of a checkpoint's index file, once the file with its numbers beside it is as long as it says.

    Raises ValueError and others for any other file.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 48))
        footer = file.read()
        if len(footer) < 48 or struct.unpack("<Q", footer[-8:])[0] != _TABLE_MAGIC:
            raise ValueError("it does not end like one")
        file.seek(0)
        index = file.read()
    (_, _, start, size), _ = _varints(footer, 0, 4)
    shapes: Shapes = {}
    end = 0
    for _, handle in _entries(_block(index, start, size)):
        (start, size), _ = _varints(handle, 0, 2)
        for key, value in _entries(_block(index, start, size)):
            if key:  # the first one is the header
                shapes[key.decode()], last = _bundle_entry(value)
                end = max(end, last)
    data = path.with_suffix(".data-00000-of-00001")
    if data.exists() and data.stat().st_size != end:
        raise ValueError(f"{data.name} has {data.stat().st_size} bytes, not {end}")
    return shapes


def _block(table: bytes, start: int, size: int) -> bytes:
    block = table[start : start + size]
    if len(block) < size or table[start + size : start + size + 1] != b"\0":
        raise ValueError("a block is missing or compressed")
    return block


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values; each key begins with so many bytes of the one before."""
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 - 4 * restarts
    at, key = 0, b""
    while at < end:
        (shared, more, length), at = _varints(block, at, 3)
        key = key[:shared] + block[at : at + more]
        yield key, block[at + more : at + more + length]
        at += more + length


def _bundle_entry(message: bytes) -> tuple[tuple[int, ...], int]:
    """Shape, and where the numbers end in the file that has them."""
    fields = dict(_fields(message))
    dimensions = tuple(
        int(dict(_fields(dimension)).get(1, 0)) for number, dimension in _fields(fields.get(2, b"")) if number == 2
    )
    return dimensions, fields.get(4, 0) + fields.get(5, 0)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of a protocol buffer's fields."""
    at = 0
    while at < len(message):
        (tag,), at = _varints(message, at, 1)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            (value,), at = _varints(message, at, 1)
            yield number, value
        elif wire == 2:
            (length,), at = _varints(message, at, 1)
            yield number, message[at : at + length]
            at += length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError("it is no protocol buffer")


def _varints(data: bytes, at: int, count: int) -> tuple[tuple[int, ...], int]:
    """So many numbers of seven bits a byte, lowest first, and where they end."""
    found = []
    for _ in range(count):
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        found.append(value)
    return tuple(found), at


_READERS = {"torch": torch_shapes, "safetensors": safetensors_shapes, "tensorflow": tensorflow_shapes}
