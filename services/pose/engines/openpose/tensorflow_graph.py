"""Makes OpenCV read the published MobileNet graph: its one computed size becomes a constant.

OpenCV's importer wants the size of a ResizeBilinear written in the graph; the published one computes it from the input's.
A frozen graph is a protocol buffer (tensorflow/core/framework: graph.proto, node_def.proto, tensor.proto); the few fields
in question are read and written here by their numbers, so no TensorFlow is needed.
"""

from collections.abc import Iterator

_DT_INT32 = 3


def with_constant_sizes(graph: bytes, height: int, width: int) -> bytes:
    """The frozen graph with what computes the size, a Shape and a StridedSlice, replaced by the constant (height, width).

    Raises ValueError for bytes that are no protocol buffer.
    """
    written = bytearray()
    for number, _, whole, value in _fields(graph):
        op = _first(value, 2) if number == 1 else b""
        if op == b"StridedSlice":
            whole = _field(1, _size_node(_first(value, 1), height, width))
        if op != b"Shape":
            written += whole
    return bytes(written)


def _size_node(name: bytes, height: int, width: int) -> bytes:
    shape = _field(2, _number(1, 2))  # TensorShapeProto: one dimension, of size 2
    content = b"".join(size.to_bytes(4, "little") for size in (height, width))
    tensor = _number(1, _DT_INT32) + _field(2, shape) + _field(4, content)
    attributes = {b"dtype": _number(6, _DT_INT32), b"value": _field(8, tensor)}
    node = _field(1, name) + _field(2, b"Const")
    for key, value in attributes.items():
        node += _field(5, _field(1, key) + _field(2, value))
    return node


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Each field of a message: number, wire type, its bytes with the key, and those of its value."""
    at = 0
    while at < len(message):
        key, value_at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            _, end = _varint(message, value_at)
        elif kind == 2:
            length, value_at = _varint(message, value_at)
            end = value_at + length
        elif kind in (1, 5):
            end = value_at + (8 if kind == 1 else 4)
        else:
            raise ValueError(f"no protocol buffer: wire type {kind} at byte {at}")
        if end > len(message):
            raise ValueError("no protocol buffer, or one that was cut off")
        yield key >> 3, kind, message[at:end], message[value_at:end]
        at = end


def _first(message: bytes, wanted: int) -> bytes:
    return next((value for number, kind, _, value in _fields(message) if (number, kind) == (wanted, 2)), b"")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("no protocol buffer, or one that was cut off")
        value |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 128:
            return value, at


def _field(number: int, value: bytes) -> bytes:
    return _encoded(number << 3 | 2) + _encoded(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return _encoded(number << 3) + _encoded(value)


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])
