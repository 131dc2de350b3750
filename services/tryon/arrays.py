"""The arrays of a file of weights, held against those that its network wants."""

from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]


def differences(there: Shapes, wanted: Shapes) -> list[str]:
    """What is wrong with them, in words; empty where nothing is."""
    lacking = [f"lacks {name}" for name in wanted if name not in there]
    unknown = [f"has the unknown {name}" for name in there if name not in wanted]
    shapes = [
        f"has {name} of {there[name]}, not {shape}" for name, shape in wanted.items() if there.get(name, shape) != shape
    ]
    return lacking + unknown + shapes
