"""Arrays' names and shapes, read from weight files without their framework."""

import json
import math
import os
import pickle
import struct

import pytest

from howsfit.weights.errors import WrongFile
from howsfit.weights.structure import check_structure, tensorflow_shapes, torch_shapes
from tests.howsfit.weights import torch_files

SHAPES = {"conv.weight": (8, 3, 3, 3), "conv.bias": (8,), "norm.num_batches_tracked": ()}
WANTED = {"kind": "torch", "arrays": 2, "elements": 224, "shapes": {"conv.weight": [8, 3, 3, 3]}}


@pytest.mark.parametrize("write", [torch_files.archive, torch_files.row])
def test_torch_files_of_both_forms_are_read(write, tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(write(SHAPES))
    assert torch_shapes(path) == SHAPES
    check_structure(path, WANTED)
    path.write_bytes(write({"module." + name: shape for name, shape in SHAPES.items()}))
    check_structure(path, WANTED)


@pytest.mark.parametrize(
    "shapes, why",
    [
        ({"conv.bias": (224,)}, "no array conv.weight"),
        ({"conv.weight": (8, 3, 3, 4), "conv.bias": (8,)}, r"is \(8, 3, 3, 4\), not \(8, 3, 3, 3\)"),
        ({"conv.weight": (8, 3, 3, 3), "conv.bias": (9,)}, "225 elements, not 224"),
        ({"conv.weight": (8, 3, 3, 3), "conv.bias": (8,), "more": (0,)}, "3 arrays, not 2"),
    ],
)
def test_another_network_is_refused(shapes, why, tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(torch_files.archive(shapes))
    with pytest.raises(WrongFile, match=why):
        check_structure(path, WANTED)


@pytest.mark.parametrize("write", [torch_files.archive, torch_files.row])
def test_what_is_cut_or_damaged_is_refused(write, tmp_path):
    path = tmp_path / "a.pth"
    good = write(SHAPES)
    for bad in (good[:-8], good[: len(good) // 2], good[:3], b"", b"<html></html>"):
        path.write_bytes(bad)
        with pytest.raises(WrongFile, match="cannot be read as a file of torch"):
            check_structure(path, WANTED)


def test_a_damaged_number_in_an_archive_is_noticed(tmp_path):
    path = tmp_path / "a.pth"
    good = bytearray(torch_files.archive(SHAPES))
    at = good.index(bytes(100))
    good[at + 50] ^= 1
    path.write_bytes(good)
    with pytest.raises(WrongFile, match="damaged|CRC"):
        check_structure(path, WANTED)


class Harmful:
    def __reduce__(self):
        return os.system, ("touch harm",)


def test_nothing_in_a_file_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pth"
    head = b"".join(pickle.dumps(part, 2) for part in (torch_files.MAGIC, torch_files.VERSION, {}))
    path.write_bytes(head + pickle.dumps({"weight": Harmful()}))
    with pytest.raises(WrongFile, match="posix.system"):
        check_structure(path, WANTED)
    assert not (tmp_path / "harm").exists()


def varint(value):
    made = b""
    while value > 0x7F:
        made += bytes([value & 0x7F | 0x80])
        value >>= 7
    return made + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def table(entries):
    """A sorted string table of one block, keys not shared, as TensorFlow's index is one."""

    def block(pairs):
        data = b"".join(varint(0) + varint(len(key)) + varint(len(value)) + key + value for key, value in pairs)
        return data + struct.pack("<II", 0, 1)

    data = block(entries) + b"\0" + bytes(4)
    handle = varint(0) + varint(len(data) - 5)
    index = block([(b"z", handle)]) + b"\0" + bytes(4)
    footer = varint(0) + varint(0) + varint(len(data)) + varint(len(index) - 5)
    return data + index + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def tensor(shape, offset, size):
    dimensions = b"".join(field(2, field(1, length)) for length in shape)
    return field(1, 1) + field(2, dimensions) + (field(4, offset) if offset else b"") + field(5, size)


def test_tensorflow_index_is_read(tmp_path):
    index, data = tmp_path / "model.ckpt-1.index", tmp_path / "model.ckpt-1.data-00000-of-00001"
    index.write_bytes(
        table([(b"", field(1, 1)), (b"bias", tensor((8,), 0, 32)), (b"kernel", tensor((3, 300), 32, 3600))])
    )
    data.write_bytes(bytes(3632))
    assert tensorflow_shapes(index) == {"bias": (8,), "kernel": (3, 300)}
    wanted = {"kind": "tensorflow", "arrays": 2, "elements": 908, "shapes": {"kernel": [3, 300]}}
    check_structure(index, wanted)
    check_structure(index, wanted | {"arrays": 1, "elements": 900})  # an optimiser's arrays may be there too
    data.write_bytes(bytes(3631))
    with pytest.raises(WrongFile, match="3631 bytes, not 3632"):
        check_structure(index, wanted)
    for bad in (b"", b"<html>", bytes(100), index.read_bytes()[20:]):
        index.write_bytes(bad)
        with pytest.raises(WrongFile):
            check_structure(index, wanted)


def safetensors_file(shapes, cut=0):
    """As the library writes it, in bfloat16 zeros."""
    arrays, at = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        size = 2 * math.prod(shape)
        arrays[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    header = json.dumps(arrays).encode()
    return struct.pack("<Q", len(header)) + header + bytes(at - cut)


def test_safetensors_are_read_and_another_network_or_a_cut_file_refused(tmp_path):
    path, wanted = tmp_path / "a.safetensors", {**WANTED, "kind": "safetensors"}
    shapes = {"conv.weight": (8, 3, 3, 3), "conv.bias": (8,)}
    path.write_bytes(safetensors_file(shapes))
    check_structure(path, wanted)
    path.write_bytes(safetensors_file(shapes, cut=1))
    with pytest.raises(WrongFile, match="bytes, not"):
        check_structure(path, wanted)
    path.write_bytes(safetensors_file({**shapes, "more": (1,)}))
    with pytest.raises(WrongFile, match="3 arrays, not 2"):
        check_structure(path, wanted)
    for bad in (b"", b"<html></html>", safetensors_file(shapes)[:40], struct.pack("<Q", 2**60)):
        path.write_bytes(bad)
        with pytest.raises(WrongFile, match="cannot be read as a file of safetensors"):
            check_structure(path, wanted)
