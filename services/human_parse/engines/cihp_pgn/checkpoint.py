"""The published checkpoint: where it belongs, and whether what lies there is it."""

import os
from typing import List, Mapping

from services.human_parse.engines.cihp_pgn.layers import Shape, layers, variable_shapes
from services.human_parse.engines.cihp_pgn.tf1 import tf
from stagekit.errors import WeightsMissing
from stagekit.weights import not_right

FILES = (".index", ".data-00000-of-00001")


def find_checkpoint(folder: str) -> str:
    """The path of the checkpoint in a folder, without the endings of its files, once it is known to be the right one.

    The text file `checkpoint` may hold a path of the machine that wrote it: only its last part counts.
    Raises WeightsMissing when a file or a variable is missing, or a variable has another shape.
    """
    state = tf.train.get_checkpoint_state(folder)
    if state is None:
        raise _not_right("there is no file `checkpoint`")
    path = os.path.join(folder, os.path.basename(state.model_checkpoint_path))
    for ending in FILES:
        if not os.path.exists(path + ending):
            raise _not_right("there is no %s" % os.path.basename(path + ending))
    try:
        found = tf.train.NewCheckpointReader(path).get_variable_to_shape_map()
    except (tf.errors.OpError, ValueError) as error:
        raise _not_right("the checkpoint cannot be read: %s" % error) from None
    problems = _differences(variable_shapes(layers()), found)
    if problems:
        raise _not_right("%d variables differ: %s" % (len(problems), _some(problems)))
    return path


def _not_right(what: str) -> WeightsMissing:
    return not_right("cihp_pgn", what)


def _differences(wanted: Mapping[str, Shape], found: Mapping[str, List[int]]) -> List[str]:
    told = []
    for name, shape in sorted(wanted.items()):
        if name not in found:
            told.append("%s is missing" % name)
        elif tuple(found[name]) != shape:
            told.append("%s is %s, not %s" % (name, tuple(found[name]), shape))
    return told


def _some(problems: List[str]) -> str:
    return "; ".join(problems[:3]) + ("; ..." if len(problems) > 3 else "")
